// From a column of text to what a model over tokens is fed. Fitted on training rows only, saved with the model, and replayed unchanged
// when it predicts.
//
//   x: i64 (N, T)   ids of the tokeniser plus one, cut off after length(), padded behind with 0; T is that of the longest of them
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/data/table/target.h"
#include "danlu/data/text/tokenizer.h"
#include "danlu/engine/tensor/tensor.h"

namespace danlu::data {

class TextPreprocess {
 public:
  // Throws ConfigError for length < 1.
  TextPreprocess(std::string column, int64_t length, Tokenizer tokenizer, TargetEncoder target);
  // Throws DataError naming `source` and what is wrong.
  static TextPreprocess from_json(const Json& json, const std::string& source);
  Json to_json() const;

  const std::string& column() const { return columns_[0]; }
  const std::vector<std::string>& columns() const { return columns_; }  // that one
  int64_t length() const { return length_; }
  int64_t vocab_size() const { return tokenizer_.vocab_size() + 1; }  // with padding
  const Tokenizer& tokenizer() const { return tokenizer_; }
  const TargetEncoder& target() const { return target_; }

  // The ids of a text, at most length() of them.
  std::vector<int64_t> encode(std::string_view text) const;
  // Of every row; a missing text has none. Throws DataError for a table without the column.
  Tensor encode(const Table& table) const;

 private:
  std::vector<std::string> columns_;
  int64_t length_;
  Tokenizer tokenizer_;
  TargetEncoder target_;
};

// Rows of ids as one tensor, padded behind with 0. At least one position.
Tensor pad(const std::vector<const std::vector<int64_t>*>& rows);

}  // namespace danlu::data
