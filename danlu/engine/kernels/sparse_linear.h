// The linear layer with a sparse weight: the zeros are neither read nor multiplied.
//
// For few rows of x each output is a sum over its weights, one by one; for many, x is turned so that a vector holds one input of many
// rows, which each weight then multiplies at once. So it pays by the share of zeros and not by where they are.
//
// Threads: parallel inside; the same bits for any number of threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "danlu/engine/kernels/gemm.h"

namespace danlu::kernels {

// The weights of each output that are not zero, one output after the other.
struct SparseRows {
  int64_t n = 0, k = 0;
  std::vector<int64_t> begin;   // n + 1: where those of an output begin
  std::vector<int32_t> column;  // of each weight
  std::vector<float> value;
};

// From a mask of n x k bits, the least significant first and each output in whole bytes, and the weights whose bit is set, in order; of
// these there are as many as set bits.
SparseRows sparse_rows(int64_t n, int64_t k, std::span<const uint8_t> mask, std::span<const float> values);

// y (m, n) = activation(x (m, k) w^T + bias), bias (n) or null.
void sparse_linear(const SparseRows& w, const float* x, const float* bias, float* y, int64_t m, Activation activation);

}  // namespace danlu::kernels
