// Matrix products by AVX512-FP16, at twice the rate of f32: operands are rounded to f16 while they are packed, 64 products are summed in f16, and
// such sums in f32. Each operand is scaled by a power of two, so that its largest number is below 16 and no sum overflows; what is 2^28 times
// smaller than the largest becomes 0. For half_gemm.h.
//
// Threads: parallel inside. Every element is summed along k in one order, so the result is the same for any number of threads.
#pragma once

#include <cstdint>

#include "danlu/engine/kernels/small_gemm.h"

namespace danlu::kernels {

bool f16_gemm_runs();  // on this processor, with the instruction set in use

// Only where it runs. m, n and k are at least 1.
void f16_gemm(const SmallGemm& product);

// The right operand of several products, packed once. Only where they run. As Bf16Right.
class F16Right {
 public:
  static int64_t floats(int64_t k, int64_t n);
  F16Right(const float* b, int64_t b_row, bool b_transposed, int64_t k, int64_t n, float* memory);
  void multiply(int64_t m, const float* a, int64_t a_row, float* c, int64_t c_row, bool accumulate, const float* bias) const;

 private:
  int64_t k_, n_;
  float* packed_;
  float inverse_scale_;
};

}  // namespace danlu::kernels
