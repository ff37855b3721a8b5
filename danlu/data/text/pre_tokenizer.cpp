#include "danlu/data/text/pre_tokenizer.h"

#include "danlu/data/text/code_points.h"
#include "danlu/data/text/pattern_scanner.h"
#include "danlu/data/text/regex_splitter.h"

namespace danlu::data {
namespace {

// Takes pieces apart in another way and sends on what comes out.
class NextStep final : public PieceSink {
 public:
  NextStep(const Splitter& splitter, PieceSink& out) : splitter_(splitter), out_(out) {}

 private:
  void take(std::span<const std::string_view> pieces) override {
    for (const std::string_view piece : pieces) splitter_.split(piece, out_);
  }
  const Splitter& splitter_;
  PieceSink& out_;
};

void run(std::span<const std::unique_ptr<const Splitter>> splitters, std::string_view text, PieceSink& pieces) {
  if (splitters.empty()) return pieces.push(text);
  if (splitters.size() == 1) return splitters[0]->split(text, pieces);
  NextStep last(*splitters.back(), pieces);
  run(splitters.first(splitters.size() - 1), text, last);
  last.flush();
}

std::unique_ptr<const Splitter> splitter_of(const PreTokenizerStep& step) {
  if (std::unique_ptr<const Splitter> scanner = make_pattern_scanner(step)) return scanner;
  return std::make_unique<RegexSplitter>(step);
}

}  // namespace

PreTokenizer::PreTokenizer(const std::vector<PreTokenizerStep>& steps) {
  for (const PreTokenizerStep& step : steps) splitters_.push_back(splitter_of(step));
}

void PreTokenizer::split_into(std::string_view text, PieceSink& pieces) const {
  for_each_utf8_run(text, [&](std::string_view part, bool is_valid) {
    if (is_valid) {
      run(splitters_, part, pieces);
    } else {
      pieces.push(part);
    }
  });
}

}  // namespace danlu::data
