// Matrix products by oneDNN, in blocks that depend on the sizes alone; contracts as in gemm.h.
#pragma once

#include "danlu/engine/kernels/gemm.h"

namespace danlu::kernels {

void large_gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const float* a, const float* b, float beta, float* c);
void large_linear(const float* x, const float* w, const float* bias, float* y, int64_t m, int64_t n, int64_t k, Activation activation);

}  // namespace danlu::kernels
