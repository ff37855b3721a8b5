// A table from pieces of text to how often they occur: open addressing, linear probing.
#pragma once

#include <cstdint>
#include <cstring>
#include <iterator>
#include <string_view>
#include <vector>

namespace danlu::data {

class PieceTable {
 public:
  struct Entry {
    uint64_t hash = 0;
    const char* data = nullptr;
    uint32_t bytes = 0;
    int64_t count = 0;  // 0: a free place
    std::string_view piece() const { return {data, bytes}; }
  };

  // All bits are good. One-to-one for pieces of one length of up to eight bytes.
  static uint64_t hash_of(std::string_view piece) {
    constexpr uint64_t kOdd = 0x9E3779B97F4A7C15u;
    const char* data = piece.data();
    size_t left = piece.size();
    uint64_t hash = left * kOdd;
    for (; left > 8; data += 8, left -= 8) hash = mixed(hash ^ load<uint64_t>(data));
    uint64_t last = 0;
    if (left == 8) {
      last = load<uint64_t>(data);
    } else if (left >= 4) {
      last = load<uint32_t>(data) | uint64_t{load<uint32_t>(data + left - 4)} << 32;
    } else {
      for (size_t i = 0; i < left; ++i) last |= uint64_t{static_cast<unsigned char>(data[i])} << (8 * i);
    }
    hash = mixed(hash ^ last) * kOdd;
    return hash ^ hash >> 29;
  }

  // The hash is that of the piece, count >= 1. The bytes of a piece that is new are those that copy(piece) returns; they must outlive the table.
  template <class Copy>
  void add(uint64_t hash, std::string_view piece, int64_t count, const Copy& copy) {
    Entry& entry = place_of(hash, piece);
    if (entry.count == 0) {
      entry = {hash, copy(piece), static_cast<uint32_t>(piece.size()), count};
      grow();
    } else {
      entry.count += count;
    }
  }

  template <class Visit>
  void for_each(const Visit& visit) const {
    for (const Entry& entry : places_) {
      if (entry.count > 0) visit(entry);
    }
  }

  int64_t size() const { return size_; }
  int64_t bytes() const { return std::ssize(places_) * static_cast<int64_t>(sizeof(Entry)); }

 private:
  template <class Word>
  static Word load(const char* data) {
    Word word;
    std::memcpy(&word, data, sizeof word);
    return word;
  }
  static uint64_t mixed(uint64_t hash) {
    hash *= 0xD6E8FEB86659FD93u;
    return hash ^ hash >> 32;
  }

  static bool holds(const Entry& entry, uint64_t hash, std::string_view piece) {
    return entry.hash == hash && entry.bytes == piece.size() &&
           (piece.size() <= 8 || std::memcmp(entry.data, piece.data(), piece.size()) == 0);
  }

  Entry& place_of(uint64_t hash, std::string_view piece) {
    const size_t mask = places_.size() - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
      Entry& entry = places_[i];
      if (entry.count == 0 || holds(entry, hash, piece)) return entry;
    }
  }

  void grow() {
    if (++size_ * 3 < std::ssize(places_) * 2) return;
    std::vector<Entry> old(places_.size() * 2);
    old.swap(places_);
    for (const Entry& entry : old) {
      if (entry.count > 0) place_of(entry.hash, entry.piece()) = entry;
    }
  }

  std::vector<Entry> places_ = std::vector<Entry>(256);
  int64_t size_ = 0;
};

}  // namespace danlu::data
