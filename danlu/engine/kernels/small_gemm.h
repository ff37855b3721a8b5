// Matrix products that lie in cache, by our own loops: without the preparation that only a large product repays.
//
// Threads: parallel inside. Every element is summed along k in one order, so the result is the same for any number of threads.
#pragma once

#include <cstdint>

#include "danlu/engine/kernels/gemm.h"

namespace danlu::kernels {

// C (m, n) = activation(A B + start). The sum starts from C if `accumulate`, else from bias (n), else from 0.
struct SmallGemm {
  int64_t m, n, k;
  const float* a;  // element (i, p) is a[i * a_row + p * a_step]
  int64_t a_row, a_step;
  const float* b;  // element (p, j) is b[p * b_row + j], or b[j * b_row + p] if transposed
  int64_t b_row;
  bool b_transposed;
  float* c;  // element (i, j) is c[i * c_row + j]
  int64_t c_row;
  bool accumulate = false;
  const float* bias = nullptr;
  Activation activation = Activation::none;
};
void small_gemm(const SmallGemm& product);

// Rows of n numbers, y_row apart, in place and on the calling thread: what products end with.
void activate_rows(Activation activation, float* y, int64_t rows, int64_t n, int64_t y_row);

// Multiplications up to which small_gemm() is no slower than oneDNN, on the instruction set in use: AVX-512 repays packing sooner.
int64_t most_small_gemm();

}  // namespace danlu::kernels
