// Content hashes: XXH3, 128 bits. For equality of rows, files and splits; not against an adversary.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace danlu {

struct Hash128 {
  uint64_t low = 0, high = 0;
  friend bool operator==(const Hash128&, const Hash128&) = default;
  friend auto operator<=>(const Hash128&, const Hash128&) = default;
  std::string hex() const;  // 32 characters
};

Hash128 hash_bytes(const void* data, size_t bytes);
inline Hash128 hash_text(std::string_view text) { return hash_bytes(text.data(), text.size()); }

}  // namespace danlu

template <>
struct std::hash<danlu::Hash128> {
  size_t operator()(const danlu::Hash128& h) const noexcept { return h.low; }
};
