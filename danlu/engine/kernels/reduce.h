// Reductions of x (outer, n, inner) over its middle axis to y (outer, inner).
//
// Sums run in a fixed order whatever the number of threads: whole rows go to threads, and a single long row is summed in
// pieces of a fixed length whose sums are added in order.
#pragma once

#include <cstdint>

namespace danlu::kernels {

// y = scale * sum
void sum(const float* x, float* y, int64_t outer, int64_t n, int64_t inner, float scale);
// The gradient of `sum`: every element gets scale * dy.
void sum_backward(const float* dy, float* dx, int64_t outer, int64_t n, int64_t inner, float scale);

// y = largest, index = where it is first. n >= 1. A NaN wins over every number. y or index may be null.
void max(const float* x, float* y, int64_t* index, int64_t outer, int64_t n, int64_t inner);
// dx = dy at index, 0 elsewhere.
void max_backward(const float* dy, const int64_t* index, float* dx, int64_t outer, int64_t n, int64_t inner);

// Sum of squares of n numbers, accumulated in double over pieces of a fixed length: for gradient norms.
double sum_of_squares(const float* x, int64_t n);

// y (n) = (accumulate ? y : 0) + sum over the rows of x (rows, n): the gradient of a bias.
void column_sum(const float* x, float* y, int64_t rows, int64_t n, bool accumulate);

}  // namespace danlu::kernels
