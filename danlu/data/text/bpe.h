// Byte-pair merging of one piece of text: of all neighbours the pair of lowest rank becomes one token, again and again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "danlu/data/text/tokenizer_model.h"

namespace danlu::data {

class Bpe {
 public:
  // Refers to the model's vocabulary, which must outlive it. Throws DataError if a merge names an id that is not there, or does not
  // make the bytes of its result.
  explicit Bpe(const TokenizerModel& model);

  // Appends the ids of a piece. n log n in its length.
  void encode(std::string_view piece, std::vector<TokenId>& ids) const;

  // The id of these bytes as a token, or -1.
  TokenId find(std::string_view bytes) const;

 private:
  struct Target {
    int32_t rank;
    TokenId result;
  };
  void first_symbols(std::string_view piece, std::vector<TokenId>& symbols) const;
  const Target* target(TokenId left, TokenId right) const;

  const TokenizerModel& model_;
  std::unordered_map<std::string_view, TokenId> ids_;
  std::unordered_map<uint64_t, Target> merges_;
};

}  // namespace danlu::data
