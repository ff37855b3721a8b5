// Transposition of a matrix in cache, on the calling thread.
#pragma once

#include <cstdint>

namespace danlu::kernels {

// y[j][i] = x[i][j] for i < rows and j < n; rows of x are x_row floats apart, those of y y_row.
void transpose_in_cache(const float* x, int64_t x_row, int64_t rows, int64_t n, float* y, int64_t y_row);

}  // namespace danlu::kernels
