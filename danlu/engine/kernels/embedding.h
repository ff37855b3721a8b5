// Rows of a table, gathered and, for the gradient, added back. Indexes must be rows of the table: the caller checks.
#pragma once

#include <cstdint>

namespace danlu::kernels {

// y[i] = weight[ids[i]], rows of n floats.
void embedding(const float* weight, const int64_t* ids, float* y, int64_t count, int64_t n);

// dweight[ids[i]] += dy[i]. Each thread owns some of the columns and goes through the rows in order: the same bits for any
// number of threads.
void embedding_backward(const float* dy, const int64_t* ids, float* dweight, int64_t count, int64_t n);

// y[i] = sum over j < k of scales[i, j] * weight[ids[i, j]]: k rows a bag. A term whose scale is 0 is left out.
void embedding_bag(const float* weight, const int64_t* ids, const float* scales, float* y, int64_t bags, int64_t k, int64_t n);

// dweight[ids[i, j]] += scales[i, j] * dy[i], dweight of `rows` rows. Each thread owns some of the rows and goes through the bags in
// order: the same bits for any number of threads.
void embedding_bag_backward(const float* dy, const int64_t* ids, const float* scales, float* dweight, int64_t bags, int64_t k, int64_t rows, int64_t n);

// x = 0
void clear(float* x, int64_t n);

}  // namespace danlu::kernels
