#include "danlu/data/text/pre_tokenizer.h"

#include <pcre2.h>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/options.h"
#include "danlu/base/utf8.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.text";

struct Piece {
  size_t begin, end;
};

struct NamedPattern {
  const char* name;
  std::string pattern;
};

// As the files of the families have them.
const std::vector<NamedPattern>& patterns() {
  static const std::vector<NamedPattern> all = {
      {"gpt2", R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"},
      {"cl100k", R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
      {"qwen", R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"}};
  return all;
}

}  // namespace

const std::string& split_pattern(const std::string& name) {
  std::vector<std::string> names;
  for (const NamedPattern& p : patterns()) {
    if (p.name == name) return p.pattern;
    names.emplace_back(p.name);
  }
  throw ConfigError(kWhere, fmt::format("got pattern \"{}\"; expected one of {}{}", name, fmt::join(names, ", "), did_you_mean(name, names)));
}

class PreTokenizer::Step {
 public:
  explicit Step(const PreTokenizerStep& step) : step_(step) {
    const std::string pattern = step.kind == PreTokenizerStep::Kind::digits ? (step.individual_digits ? "\\p{Nd}" : "\\p{Nd}+") : step.pattern;
    int error = 0;
    PCRE2_SIZE offset = 0;
    code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), PCRE2_UTF | PCRE2_UCP, &error, &offset, nullptr));
    if (!code_) {
      PCRE2_UCHAR words[200] = {};
      pcre2_get_error_message(error, words, sizeof(words));
      throw DataError(kWhere, fmt::format("pattern {}: {} at character {}", pattern, reinterpret_cast<const char*>(words), offset));
    }
    pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE);
  }

  // `text` is UTF-8. Appends pieces as offsets from `base`.
  void split(std::string_view text, size_t base, std::vector<Piece>& pieces) const {
    const std::unique_ptr<pcre2_match_data, void (*)(pcre2_match_data*)> match(pcre2_match_data_create(1, nullptr), pcre2_match_data_free);
    std::vector<std::pair<Piece, bool>> parts;  // and whether it is a match
    size_t at = 0;
    while (at < text.size()) {
      const int found = pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), at, PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY,
                                    match.get(), nullptr);
      if (found == PCRE2_ERROR_NOMATCH) break;
      if (found < 0) throw DataError(kWhere, fmt::format("pattern {}: fails with PCRE2 error {}", step_.pattern, found));
      const PCRE2_SIZE* range = pcre2_get_ovector_pointer(match.get());
      if (range[0] > at) parts.push_back({{at, range[0]}, false});
      parts.push_back({{range[0], range[1]}, true});
      at = range[1];
    }
    if (at < text.size()) parts.push_back({{at, text.size()}, false});
    join(parts, base, pieces);
  }

 private:
  using Behavior = PreTokenizerStep::Behavior;

  void join(std::vector<std::pair<Piece, bool>>& parts, size_t base, std::vector<Piece>& pieces) const {
    const size_t first = pieces.size();
    bool previous_matched = false;
    for (size_t i = 0; i < parts.size(); ++i) {
      const auto [piece, is_match] = parts[i];
      const bool matched = is_match != step_.invert;
      const bool has_previous = pieces.size() > first;
      if (matched && step_.behavior == Behavior::removed) {
        previous_matched = true;
        continue;
      }
      const bool extends = has_previous && ((step_.behavior == Behavior::merged_with_previous && matched && !previous_matched) ||
                                            (step_.behavior == Behavior::merged_with_next && !matched && previous_matched) ||
                                            (step_.behavior == Behavior::contiguous && matched == previous_matched));
      if (extends) {
        pieces.back().end = base + piece.end;
      } else {
        pieces.push_back({base + piece.begin, base + piece.end});
      }
      previous_matched = matched;
    }
  }

  struct Free {
    void operator()(pcre2_code* code) const { pcre2_code_free(code); }
  };
  PreTokenizerStep step_;
  std::unique_ptr<pcre2_code, Free> code_;
};

PreTokenizer::PreTokenizer(const std::vector<PreTokenizerStep>& steps) {
  for (const PreTokenizerStep& step : steps) steps_.push_back(std::make_unique<const Step>(step));
}
PreTokenizer::~PreTokenizer() = default;
PreTokenizer::PreTokenizer(PreTokenizer&&) noexcept = default;
PreTokenizer& PreTokenizer::operator=(PreTokenizer&&) noexcept = default;

void PreTokenizer::split(std::string_view text, const OnPiece& on_piece) const {
  std::vector<Piece> pieces, next;
  while (!text.empty()) {
    const size_t valid = std::min(find_invalid_utf8(text), text.size());
    pieces.clear();
    if (valid > 0) pieces.push_back({0, valid});
    for (const auto& step : steps_) {
      next.clear();
      for (const Piece& piece : pieces) step->split(text.substr(piece.begin, piece.end - piece.begin), piece.begin, next);
      pieces.swap(next);
    }
    for (const Piece& piece : pieces) on_piece(text.substr(piece.begin, piece.end - piece.begin));
    text.remove_prefix(valid);
    size_t invalid = 0;
    while (invalid < text.size() && find_invalid_utf8(text.substr(invalid)) == 0) ++invalid;
    if (invalid > 0) on_piece(text.substr(0, invalid));
    text.remove_prefix(invalid);
  }
}

}  // namespace danlu::data
