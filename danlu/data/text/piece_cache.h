// The ids that short pieces of text became: words come again and again, and need no second merging.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
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
    friend bool operator==(const Key& a, const Key& b) {
      uint64_t differ = 0;
      for (size_t i = 0; i < 4; ++i) differ |= a.words[i] ^ b.words[i];
      return differ == 0;
    }
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

  // The ids of a piece, or null.
  const Entry* find(const Key& key) const {
    const Set& set = sets_[set_of(key)];
    return set[0].key == key ? &set[0] : set[1].key == key ? &set[1] : nullptr;
  }
  // ids.size() <= kMaxIds. The older of the two pieces that share a place gives way.
  void insert(const Key& key, std::span<const TokenId> ids) {
    Set& set = sets_[set_of(key)];
    set[1] = set[0];
    set[0].key = key;
    set[0].size = static_cast<uint32_t>(ids.size());
    std::copy(ids.begin(), ids.end(), set[0].ids.begin());
  }

 private:
  using Set = std::array<Entry, 2>;
  static constexpr int kBits = 15;
  static constexpr int kLengthShift = std::endian::native == std::endian::little ? 56 : 0;

  static constexpr std::array<uint8_t, 64> kMasks = [] {
    std::array<uint8_t, 64> masks{};
    for (size_t i = 0; i < 32; ++i) masks[i] = 0xFF;
    return masks;
  }();

  static size_t set_of(const Key& key) {
    const auto& w = key.words;
    uint64_t hash = (w[0] ^ (w[1] << 29 | w[1] >> 35)) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 32 ^ w[2] * 0xD6E8FEB86659FD93u;
    return ((hash ^ w[3]) * 0x9FB21C651E98DF25u) >> (64 - kBits);
  }

  std::vector<Set> sets_ = std::vector<Set>(size_t{1} << kBits);
};

}  // namespace danlu::data
