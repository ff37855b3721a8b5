// Byte-pair encoding of one piece of text: symbols, bytes or characters, merged pair by pair.
//
// The pair of lowest rank is merged first, of equal ones the leftmost, until no pair of neighbours has a merge.
//
// Source    Sennrich, Haddow, Birch 2016, arXiv:1508.07909.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "danlu/data/text/merge_table.h"
#include "danlu/data/text/piece_cache.h"
#include "danlu/data/text/token_table.h"
#include "danlu/data/text/tokenizer_model.h"

namespace danlu::data {

// Threads: any number at once, each with its own workspace.
class Bpe {
 public:
  // What one thread needs to work: 4 MiB, to be kept between calls, as it remembers pieces. For one Bpe only.
  struct Workspace {
    PieceCache cache;
    std::vector<TokenId> ids;
    // Of a long piece: neighbours of each symbol, the ranks and results of its pair with the next one, and a heap of
    // pairs.
    std::vector<uint32_t> previous, next, ranks;
    std::vector<TokenId> results;
    std::vector<uint64_t> queue;
  };

  // The model must outlive this. Throws DataError if merges, symbols and vocabulary do not fit each other.
  explicit Bpe(const TokenizerModel& model);

  // Appends the ids of a piece of at least one byte; `readable` is the end of the memory that the piece lies in.
  // Symbols without a token become unk, or nothing if the model has none. Time n log n. Throws DataError from 2^31
  // bytes on.
  void encode(std::string_view piece, const char* readable, Workspace& work, std::vector<TokenId>& ids) const;

 private:
  void encode_uncached(std::string_view piece, Workspace& work, std::vector<TokenId>& ids) const;
  void symbols_of(std::string_view piece, std::vector<TokenId>& ids) const;
  size_t merge_short(TokenId* ids, size_t size) const;
  void merge_long(Workspace& work) const;

  bool byte_level_;
  TokenId unk_;
  std::array<TokenId, 256> byte_ids_{};
  std::vector<TokenId> character_ids_;  // by code point
  MergeTable merges_;
  bool has_merges_;
  std::optional<TokenTable> whole_pieces_;  // if pieces that are tokens are not merged
};

}  // namespace danlu::data
