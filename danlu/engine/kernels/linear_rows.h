// The linear layer for few rows, as in generation, where reading the weights is all the work: they are read once for a few rows of x,
// and neither turned nor copied.
//
// Both x and the weights lie along k, so that each element is a product of two arrays. It is summed in as many parts as a vector
// has lanes, and these in a fixed order, whatever the numbers of rows and outputs.
//
// Threads: parallel inside; the same bits for any number of threads.
#pragma once

#include <cstdint>

namespace danlu::kernels {

// y (m, n) = x (m, k) w^T + bias, w (n, k), bias (n) or null.
void linear_rows(const float* x, const float* w, const float* bias, float* y, int64_t m, int64_t n, int64_t k);

}  // namespace danlu::kernels
