// Matrix products whose operands are rounded to 16 bits while they are packed, in the format that this processor multiplies fastest: bf16 by AMX, else f16
// by AVX512-FP16 (f16_gemm.h), else bf16 by AVX512_BF16 (bf16_gemm.h). For matmul_precision.h.
//
// Threads: parallel inside, with the same bits for any number of threads.
#pragma once

#include <cstdint>
#include <variant>

#include "danlu/engine/kernels/bf16_gemm.h"
#include "danlu/engine/kernels/f16_gemm.h"

namespace danlu::kernels {

enum class HalfFormat { none, f16, bf16 };

HalfFormat half_format();  // none: there is no such product on this processor, with the instruction set in use

// Whether packing is repaid: every number that is packed has to be used often enough.
bool half_gemm_pays(int64_t m, int64_t n, int64_t k);

// Only where there is a format. m, n and k are at least 1.
void half_gemm(const SmallGemm& product);

// The right operand of several products, packed once. Only where there is a format.
class HalfRight {
 public:
  static int64_t floats(int64_t k, int64_t n);  // 0 where there is no format
  // B as SmallGemm says; `memory` is for floats(k, n), aligned as a Workspace is, and outlives this. Parallel inside.
  HalfRight(const float* b, int64_t b_row, bool b_transposed, int64_t k, int64_t n, float* memory);
  // C = A B + start, as SmallGemm says, where the rows of A lie along k. Takes a Workspace.
  void multiply(int64_t m, const float* a, int64_t a_row, float* c, int64_t c_row, bool accumulate, const float* bias) const;

 private:
  std::variant<Bf16Right, F16Right> right_;
};

}  // namespace danlu::kernels
