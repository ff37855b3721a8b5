// Matrix products whose operands are rounded to bf16 (to nearest even; denormals to zero) while they are packed, and whose sums are
// f32: by AVX512_BF16, with our own loops. For matmul_precision.h.
//
// Threads: parallel inside. Every element is summed along k in one order, so the result is the same for any number of threads.
#pragma once

#include <cstdint>

#include "danlu/engine/kernels/small_gemm.h"

namespace danlu::kernels {

bool bf16_gemm_runs();  // on this processor, with the instruction set in use

// Whether packing is repaid: every number that is packed has to be used often enough.
bool bf16_gemm_pays(int64_t m, int64_t n, int64_t k);

// Only where it runs. m, n and k are at least 1.
void bf16_gemm(const SmallGemm& product);

// n numbers, rounded as above, two in the place of a float. Only where the products run.
void round_to_bf16(const float* x, int64_t n, float* pairs);

}  // namespace danlu::kernels
