// The element types of GGUF files: plain numbers, and blocks of quantised ones with scales of their own.
//
//   F32 F16 BF16                  an element each
//   Q8_0 Q5_1 Q5_0 Q4_1 Q4_0      32 elements of a row: a scale in f16 (the _1 ones a least value too), then 8, 5 or 4 bits each
//   Q6_K Q5_K Q4_K                256 elements: scales in f16, 8 or 16 groups with small whole scales of their own, then the bits
//
//   const BlockType& type = *find_block_type("Q8_0");
//   std::vector<std::byte> bytes(type.bytes_of(row.size()));
//   type.encode(row, bytes);
//
// All are decoded; F32, F16, BF16, Q8_0 and Q4_0 are encoded, bit for bit as ggml does. A row is a whole number of blocks.
//
// Source    layouts: github.com/ggml-org/ggml.
// Threads   any number at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace danlu::formats {

struct BlockType {
  uint32_t id;       // in the file
  const char* name;  // as ggml spells it
  int64_t elements;  // of a block
  int64_t bytes;
  float largest;  // magnitude that encode() takes; 0 where it is null
  // Spans of as many whole blocks; the bytes need not be aligned.
  void (*decode)(std::span<const std::byte> from, std::span<float> to);
  // Of finite numbers up to `largest`.
  void (*encode)(std::span<const float> from, std::span<std::byte> to);

  size_t bytes_of(size_t count) const { return count / static_cast<size_t>(elements) * static_cast<size_t>(bytes); }
};

// nullptr for a type that is not read.
const BlockType* find_block_type(uint32_t id);
const BlockType* find_block_type(std::string_view name);  // in letters of any case

std::string block_type_names();  // "F32, F16, ..."
// What to call a type, also one that is not read: "IQ4_XS", or "type 99".
std::string block_type_name(uint32_t id);

}  // namespace danlu::formats
