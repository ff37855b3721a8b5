#include "danlu/engine/kernels/gemm.h"

#include <cstring>

#include "danlu/engine/kernels/batch_invariant.h"
#include "danlu/engine/kernels/half_gemm.h"
#include "danlu/engine/kernels/large_gemm.h"
#include "danlu/engine/kernels/linear_rows.h"
#include "danlu/engine/kernels/matmul_precision.h"
#include "danlu/engine/kernels/small_gemm.h"

namespace danlu::kernels {
namespace {

bool rounds(int64_t m, int64_t n, int64_t k) { return matmul_precision() == MatmulPrecision::medium && half_gemm_pays(m, n, k); }

}  // namespace

void gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const float* a, const float* b, float beta,
          float* c) {
  if (m == 0 || n == 0) return;
  if (k == 0) {
    if (beta == 0) std::memset(c, 0, static_cast<size_t>(m * n) * sizeof(float));
    return;
  }
  const SmallGemm product{.m = m, .n = n, .k = k,
                          .a = a, .a_row = transpose_a ? 1 : k, .a_step = transpose_a ? m : 1,
                          .b = b, .b_row = transpose_b ? k : n, .b_transposed = transpose_b,
                          .c = c, .c_row = n, .accumulate = beta != 0};
  if (rounds(m, n, k)) return half_gemm(product);
  if (m * n * k > most_small_gemm()) return large_gemm(transpose_a, transpose_b, m, n, k, a, b, beta, c);
  small_gemm(product);
}

void linear_forward(const float* x, const float* w, const float* bias, float* y, int64_t m, int64_t n, int64_t k,
                    Activation activation) {
  if (m == 0 || n == 0) return;
  const auto invariant = BatchInvariant::active();
  if (invariant == BatchInvariant::Rows::few && activation == Activation::none) return linear_rows(x, w, bias, y, m, n, k);
  const SmallGemm product{.m = m, .n = n, .k = k,
                          .a = x, .a_row = k, .a_step = 1,
                          .b = w, .b_row = k, .b_transposed = true,
                          .c = y, .c_row = n, .bias = bias, .activation = activation};
  if (!invariant && rounds(m, n, k)) return half_gemm(product);
  if (!invariant && m * n * k > most_small_gemm()) return large_linear(x, w, bias, y, m, n, k, activation);
  small_gemm(product);
}

}  // namespace danlu::kernels
