// From a column of text to what a model over tokens, or over n-grams, is fed. Fitted on training rows only, saved with the model, and
// replayed unchanged when it predicts.
//
//   x: i64 (N, T)   ids of the tokeniser plus one, or of the n-grams, cut off after length(), padded behind with 0; T is that of the longest
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/data/table/target.h"
#include "danlu/data/text/ngrams.h"
#include "danlu/data/text/token_ids.h"

namespace danlu::data {

// The special token that stands for a hidden one. [MASK] and <mask>, as the tokenisers of BERT and RoBERTa call it, do too.
inline constexpr const char* kMaskToken = "<|mask|>";

class TextPreprocess {
 public:
  // Throws ConfigError for length < 1.
  TextPreprocess(std::string column, int64_t length, std::variant<Tokenizer, NgramVocabulary> units, TargetEncoder target = {});
  // Throws DataError naming `source` and what is wrong.
  static TextPreprocess from_json(const Json& json, const std::string& source);
  Json to_json() const;

  const std::string& column() const { return columns_[0]; }
  const std::vector<std::string>& columns() const { return columns_; }  // that one
  int64_t length() const { return length_; }
  int64_t vocab_size() const;  // with padding
  // One of the two; the other is null.
  const Tokenizer* tokenizer() const { return std::get_if<Tokenizer>(&units_); }
  const NgramVocabulary* ngrams() const { return std::get_if<NgramVocabulary>(&units_); }
  const TargetEncoder& target() const { return target_; }
  // The id that stands for a hidden token; nothing if the tokeniser has none.
  std::optional<int64_t> mask() const;

  // The ids of a text, at most length() of them.
  std::vector<int64_t> encode(std::string_view text) const;
  // Of the beginning of a text that those stand for; what is behind the model does not see.
  size_t bytes_read(std::string_view text) const;
  // Of every row; a missing text has none. Throws DataError for a table without the column.
  Tensor encode(const Table& table) const;

 private:
  std::vector<std::string> columns_;
  int64_t length_;
  std::variant<Tokenizer, NgramVocabulary> units_;
  TargetEncoder target_;
};

}  // namespace danlu::data
