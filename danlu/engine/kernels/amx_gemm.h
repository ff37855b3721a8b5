// Products of packed bf16 operands by the tiles of AMX (Intel's Advanced Matrix Extensions): 16 by 16 sums in f32 of 32 products each in one
// instruction. For bf16_gemm.cpp. Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, chapter 18.
//
// Threads: on the calling thread.
#pragma once

#include <cstdint>

namespace danlu::kernels::bf16 {

// C (rows, columns) = A B + start.
struct TileProduct {
  int64_t rows, columns, pairs;  // pairs along k: a multiple of 16
  // Tiles as Operand has them, of the first 16 rows or columns; the next 16 are `stride` further on.
  const float* a;
  int64_t a_stride;
  const float* b;
  int64_t b_stride;
  float* c;
  int64_t c_row;
  bool accumulate;    // the sums start from C,
  const float* bias;  // or from here, unless null
};
void multiply_tiles(const TileProduct& product);  // only where Isa::amx is in use

}  // namespace danlu::kernels::bf16
