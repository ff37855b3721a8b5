// The ids that short pieces of text became: words come again and again, and need no second merging.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "danlu/data/text/tokenizer.h"

namespace danlu::data {

// Of bounded size: a new piece takes the place of an older one. For one thread at a time.
class PieceCache {
 public:
  static constexpr size_t kMaxBytes = 31, kMaxIds = 7;

  // The bytes of a piece, then zeros, then its length.
  struct Key {
    std::array<uint64_t, 4> words{};
    friend bool operator==(const Key&, const Key&) = default;
  };
  // A line of the processor's cache.
  struct alignas(64) Entry {
    Key key;  // of length 0: a free place
    std::array<TokenId, kMaxIds> ids{};
    uint32_t size = 0;
  };

  // 1 <= piece.size() <= kMaxBytes; the bytes up to `readable` may be looked at.
  static Key key_of(std::string_view piece, const char* readable) {
    Key key;
    if (readable - piece.data() >= 32) {
      std::memcpy(key.words.data(), piece.data(), 32);
      Key mask;
      std::memcpy(mask.words.data(), kMasks.data() + 32 - piece.size(), 32);
      for (size_t i = 0; i < 4; ++i) key.words[i] &= mask.words[i];
    } else {
      std::memcpy(key.words.data(), piece.data(), piece.size());
    }
    key.words[3] |= uint64_t{piece.size()} << kLengthShift;
    return key;
  }

  // The place of a piece: its own ids if the keys are equal, else to be overwritten.
  Entry& entry_of(const Key& key) { return entries_[hash_of(key) >> (64 - kBits)]; }

 private:
  static constexpr int kBits = 15;
  static constexpr int kLengthShift = std::endian::native == std::endian::little ? 56 : 0;

  static constexpr std::array<uint8_t, 64> kMasks = [] {
    std::array<uint8_t, 64> masks{};
    for (size_t i = 0; i < 32; ++i) masks[i] = 0xFF;
    return masks;
  }();

  static uint64_t hash_of(const Key& key) {
    const auto& w = key.words;
    uint64_t hash = (w[0] ^ (w[1] << 29 | w[1] >> 35)) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 32 ^ w[2] * 0xD6E8FEB86659FD93u;
    return (hash ^ w[3]) * 0x9FB21C651E98DF25u;
  }

  std::vector<Entry> entries_ = std::vector<Entry>(size_t{1} << kBits);
};

}  // namespace danlu::data
