// Rows of activations in 8 bits, as quantized_linear() multiplies them; internal to it.
#pragma once

#include <cstdint>

#include "danlu/engine/kernels/packed_weight.h"

namespace danlu::kernels {

// Rows that are multiplied together. Their groups lie side by side, so that a product reads three streams from front to back.
constexpr int64_t kTileRows = 16;

// Each group: number = scale code, code in [-127, 127]. Rows are filled up with zeros to whole units.
struct QuantizedTile {
  int64_t rows = 0;               // at most kTileRows
  const int8_t* codes = nullptr;    // (groups, rows, kGroup), or null
  const int16_t* pairs = nullptr;   // (groups, rows, kGroup), or null: of each four codes the first, third, second and fourth
  const float* scales = nullptr;    // (groups, rows)
  const int32_t* start = nullptr;   // (groups, rows): what a group's sum of products starts from, for the code of weights that stands for 0
};

// y, its rows `y_row` apart, for the 16 outputs of one block of w, `count` of them real; bias at the first of them or null.
struct QuantizedBlock {
  WeightFormat format;
  const uint8_t* weights;
  int64_t units;
  QuantizedTile x;
  const float* bias;
  float* y;
  int64_t y_row, count;
};

bool has_vnni();  // and this instruction set is in use
// By AVX512_VNNI, whose one instruction adds four products to each of 16 sums.
void quantized_block_vnni(const QuantizedBlock& block);

}  // namespace danlu::kernels
