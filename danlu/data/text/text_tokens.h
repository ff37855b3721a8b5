// A text as the ids that a model over tokens is fed: folded (search_terms.h), the tokeniser's ids plus one, cut off after length(); 0 is
// padding.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/data/text/tokenizer.h"

namespace danlu::data {

class TextTokens {
 public:
  // Throws ConfigError for length < 1.
  TextTokens(Tokenizer tokenizer, int64_t length);
  // Throws DataError naming `source` and what is wrong.
  static TextTokens from_json(const Json& json, const std::string& source);
  Json to_json() const;

  std::vector<int64_t> encode(std::string_view text) const;
  int64_t length() const { return length_; }
  int64_t vocab_size() const { return tokenizer_.vocab_size() + 1; }  // with padding

 private:
  Tokenizer tokenizer_;
  int64_t length_;
};

}  // namespace danlu::data
