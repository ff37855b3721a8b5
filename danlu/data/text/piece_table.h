// A table from pieces of text to how often they occur: open addressing, linear probing.
#pragma once

#include <cstdint>
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

  // count >= 1. The bytes of a piece that is new are those that copy(piece) returns; they must outlive the table.
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
  Entry& place_of(uint64_t hash, std::string_view piece) {
    const size_t mask = places_.size() - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
      Entry& entry = places_[i];
      if (entry.count == 0 || (entry.hash == hash && entry.piece() == piece)) return entry;
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
