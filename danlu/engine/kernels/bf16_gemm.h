// Matrix products whose operands are rounded to bf16 (to nearest even; denormals to zero) while they are packed, and whose sums are
// f32: by the tiles of AMX, else by AVX512_BF16, with our own loops. For half_gemm.h.
//
// Threads: parallel inside. Every element is summed along k in one order, so the result is the same for any number of threads.
#pragma once

#include <cstdint>

#include "danlu/engine/kernels/small_gemm.h"

namespace danlu::kernels {

bool bf16_gemm_runs();  // on this processor, with the instruction set in use

// Only where it runs. m, n and k are at least 1.
void bf16_gemm(const SmallGemm& product);

// The right operand of several products, packed once. Only where they run.
class Bf16Right {
 public:
  static int64_t floats(int64_t k, int64_t n);
  // B as SmallGemm says; `memory` is for floats(k, n), aligned as a Workspace is, and outlives this. Parallel inside.
  Bf16Right(const float* b, int64_t b_row, bool b_transposed, int64_t k, int64_t n, float* memory);
  // C = A B + start, as SmallGemm says, where the rows of A lie along k. Takes a Workspace.
  void multiply(int64_t m, const float* a, int64_t a_row, float* c, int64_t c_row, bool accumulate, const float* bias) const;

 private:
  int64_t k_, n_;
  float* pairs_;
};

// n numbers, rounded as above, two in the place of a float. Only where the products run.
void round_to_bf16(const float* x, int64_t n, float* pairs);

}  // namespace danlu::kernels
