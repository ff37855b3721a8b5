// A matrix of weights in 8 or 4 bits, in the order that quantized_linear() reads it: once, from the first byte to the last.
//
//   format   a weight is             bits of a weight
//   q8       scale (code - 128)      8.5
//   q4       scale (code - 8)        4.5
//
// 32 weights along a row are a group, which has one scale, an f16. Rows go together by 16, which a vector of 32-bit sums has room
// for, and groups by two: a unit is 16 rows by 64 columns,
//
//   scales   64 bytes: of the first group of each row, of the second
//   q8       16 steps of 64 bytes: four neighbouring codes of each row
//   q4       8 steps of 64 bytes: the same of the first group in the low halves, of the second in the high halves
//
// and the units of 16 rows follow one another. Rows and columns that fill up the last have scale 0.
#pragma once

#include <cstddef>
#include <cstdint>

namespace danlu::kernels {

enum class WeightFormat { q8, q4 };

constexpr int64_t kGroup = 32;        // weights of a scale
constexpr int64_t kUnitRows = 16;
constexpr int64_t kUnitColumns = 64;

constexpr int64_t unit_bytes(WeightFormat format) { return 64 + kUnitRows * kUnitColumns / (format == WeightFormat::q8 ? 1 : 2); }
constexpr int zero_code(WeightFormat format) { return format == WeightFormat::q8 ? 128 : 8; }

struct PackedWeight {
  WeightFormat format = WeightFormat::q8;
  int64_t rows = 0, columns = 0;
  const uint8_t* data = nullptr;  // best aligned to 64

  int64_t row_blocks() const { return (rows + kUnitRows - 1) / kUnitRows; }
  int64_t units() const { return (columns + kUnitColumns - 1) / kUnitColumns; }  // of a block of rows
  int64_t block_bytes() const { return units() * unit_bytes(format); }
  int64_t bytes() const { return row_blocks() * block_bytes(); }
};

// Writes one group, [32 group, 32 group + 32) of a row, into `data`, laid out as `w` says (whose own data is not read). Beyond the last
// column codes count for nothing.
void put_group(const PackedWeight& w, uint8_t* data, int64_t row, int64_t group, const uint8_t* codes, uint16_t scale);
void get_group(const PackedWeight& w, int64_t row, int64_t group, uint8_t* codes, uint16_t* scale);

// The weights of a row that stand for its codes: `columns` numbers.
void unpack_row(const PackedWeight& w, int64_t row, float* out);

}  // namespace danlu::kernels
