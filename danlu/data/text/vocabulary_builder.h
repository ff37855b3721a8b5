// The vocabulary and merges of a model out of what a file says, by name: every entry is checked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "danlu/data/text/token_table.h"
#include "danlu/data/text/tokenizer_model.h"

namespace danlu::data {

// model.byte_level and model.added are set before. All throw DataError that begins with `source`.
class VocabularyBuilder {
 public:
  // Fills model.vocab, where added tokens stand as they are written, and other ones as the bytes that the characters of
  // byte-level files stand for. `tokens` must outlive this.
  VocabularyBuilder(TokenizerModel& model, const std::vector<std::pair<std::string, int64_t>>& tokens,
                    std::string source);

  void add_merge(std::string_view left, std::string_view right);
  // kNone if there is no such token.
  TokenId find(std::string_view token) const { return ids_.find(token); }

 private:
  void place_added();
  TokenId side_of_merge(std::string_view token) const;

  TokenizerModel& model_;
  std::string source_;
  TokenTable ids_;
  std::string both_;
};

}  // namespace danlu::data
