// Rows of a table, gathered and, for the gradient, added back. Indexes must be rows of the table: the caller checks.
#pragma once

#include <cstdint>

namespace danlu::kernels {

// y[i] = weight[ids[i]], rows of n floats.
void embedding(const float* weight, const int64_t* ids, float* y, int64_t count, int64_t n);

// dweight[ids[i]] += dy[i]. Each thread owns some of the columns and goes through the rows in order: the same bits for any
// number of threads.
void embedding_backward(const float* dy, const int64_t* ids, float* dweight, int64_t count, int64_t n);

// x = 0
void clear(float* x, int64_t n);

}  // namespace danlu::kernels
