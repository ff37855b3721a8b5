#include "danlu/data/text/gpt2_files.h"

#include <array>
#include <string>
#include <utility>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/text/vocabulary_builder.h"
#include "danlu/data/text/vocabulary_json.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.tokenizer";
constexpr const char* kEndOfText = "<|endoftext|>";
constexpr int64_t kMaxFileBytes = int64_t{1} << 29;

constexpr std::array<std::pair<const char*, const char*>, 2> kNames = {
    {{"encoder.json", "vocab.bpe"}, {"vocab.json", "merges.txt"}}};

bool has(const fs::path& directory, const std::pair<const char*, const char*>& names) {
  return fs::exists(directory / names.first) && fs::exists(directory / names.second);
}

// A merge a line, "left right", behind a line that tells the version.
void read_merges(const fs::path& path, VocabularyBuilder& vocabulary) {
  const std::string text = read_file(path, kMaxFileBytes);
  size_t number = 0;
  for (size_t begin = 0, end; begin < text.size(); begin = end + 1) {
    end = std::min(text.find('\n', begin), text.size());
    std::string_view line = std::string_view(text).substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (++number == 1 && line.starts_with("#version")) continue;
    if (line.empty()) continue;
    const size_t space = line.find(' ');
    if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos) {
      throw DataError(kWhere, fmt::format("{}:{}: got \"{}\"; expected two tokens with one space between them",
                                          path.string(), number, line.substr(0, 100)));
    }
    vocabulary.add_merge(line.substr(0, space), line.substr(space + 1));
  }
}

}  // namespace

bool has_gpt2_files(const fs::path& directory) { return has(directory, kNames[0]) || has(directory, kNames[1]); }

TokenizerModel read_gpt2_files(const fs::path& directory) {
  const auto& [vocab_name, merges_name] = has(directory, kNames[0]) ? kNames[0] : kNames[1];
  const fs::path vocab_path = directory / vocab_name, merges_path = directory / merges_name;
  const VocabularyJson json =
      parse_vocabulary_json(read_file(vocab_path, kMaxFileBytes), vocab_path.string(), VocabularyPlace::whole);
  if (json.vocab.empty()) {
    throw DataError(kWhere, fmt::format("{}: got no tokens; expected {{\"token\": id, ...}}", vocab_path.string()));
  }
  TokenizerModel model;
  model.pre_tokenizer.push_back({.pattern = split_pattern("gpt2")});
  for (const auto& [token, id] : json.vocab) {
    if (token != kEndOfText || id < 0 || id > INT32_MAX) continue;
    model.bos = model.eos = static_cast<TokenId>(id);
    model.added.push_back({*model.eos, kEndOfText, true});
    break;
  }
  VocabularyBuilder vocabulary(model, json.vocab, vocab_path.string());
  read_merges(merges_path, vocabulary);
  return model;
}

}  // namespace danlu::data
