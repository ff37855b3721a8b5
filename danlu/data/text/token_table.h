// From the bytes of tokens to their ids: open addressing over strings that are kept elsewhere.
#pragma once

#include <bit>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "danlu/data/text/tokenizer.h"

namespace danlu::data {

class TokenTable {
 public:
  static constexpr TokenId kNone = -1;

  // For up to `tokens` insertions.
  explicit TokenTable(size_t tokens) : entries_(std::bit_ceil(tokens * 2 + 2)) {}

  // The id under which the bytes are known already, or kNone: then they are now known under `id`. The bytes must
  // outlive the table.
  TokenId insert(std::string_view bytes, TokenId id) {
    const size_t hash = std::hash<std::string_view>()(bytes);
    Entry& entry = entries_[place_of(hash, bytes)];
    if (entry.id != kNone) return entry.id;
    entry = {bytes.data(), static_cast<uint32_t>(bytes.size()), static_cast<uint32_t>(hash >> 32), id};
    return kNone;
  }

  TokenId find(std::string_view bytes) const {
    return entries_[place_of(std::hash<std::string_view>()(bytes), bytes)].id;
  }

 private:
  struct Entry {
    const char* data = nullptr;
    uint32_t size = 0;
    uint32_t hash = 0;
    TokenId id = kNone;
  };

  size_t place_of(size_t hash, std::string_view bytes) const {
    const size_t mask = entries_.size() - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
      const Entry& e = entries_[i];
      if (e.id == kNone || (e.hash == hash >> 32 && std::string_view(e.data, e.size) == bytes)) return i;
    }
  }

  std::vector<Entry> entries_;
};

}  // namespace danlu::data
