// From pairs of neighbours to the merge that is theirs: open addressing.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "danlu/data/text/tokenizer_model.h"

namespace danlu::data {

class MergeTable {
 public:
  static constexpr uint32_t kNoRank = UINT32_MAX;
  struct Found {
    uint32_t rank = kNoRank;
    TokenId result = 0;
  };

  // Ranks are places in `merges`; of equal pairs the last one counts.
  explicit MergeTable(const std::vector<TokenizerModel::Merge>& merges)
      : entries_(std::bit_ceil(merges.size() * 3 / 2 + 2)), present_(entries_.size() * kBitsAnEntry / 64 + 1) {
    for (size_t rank = 0; rank < merges.size(); ++rank) {
      const TokenizerModel::Merge& merge = merges[rank];
      const uint64_t key = key_of(merge.left, merge.right), hash = hash_of(key);
      entries_[place_of(hash, key)] = {key, {static_cast<uint32_t>(rank), merge.result}};
      present_[bit_of(hash) / 64] |= uint64_t{1} << bit_of(hash) % 64;
    }
  }

  Found find(TokenId left, TokenId right) const {
    const uint64_t key = key_of(left, right), hash = hash_of(key);
    // Most pairs have no merge: one bit, in a table that stays in cache, says so for nearly all of them.
    if (((present_[bit_of(hash) / 64] >> bit_of(hash) % 64) & 1) == 0) return {};
    return entries_[place_of(hash, key)].found;
  }

 private:
  static constexpr size_t kBitsAnEntry = 8;
  static constexpr uint64_t kFree = UINT64_MAX;  // ids are not negative: no pair has this key
  struct Entry {
    uint64_t key = kFree;
    Found found;
  };

  static uint64_t key_of(TokenId left, TokenId right) {
    return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
  }
  static uint64_t hash_of(uint64_t key) {
    key *= 0x9E3779B97F4A7C15u;
    key ^= key >> 32;
    return key * 0xD6E8FEB86659FD93u;
  }
  size_t bit_of(uint64_t hash) const { return (hash >> 32) & (entries_.size() * kBitsAnEntry - 1); }
  size_t place_of(uint64_t hash, uint64_t key) const {
    const size_t mask = entries_.size() - 1;
    size_t i = (hash >> 20) & mask;
    while (entries_[i].key != key && entries_[i].key != kFree) i = (i + 1) & mask;
    return i;
  }

  std::vector<Entry> entries_;
  std::vector<uint64_t> present_;
};

}  // namespace danlu::data
