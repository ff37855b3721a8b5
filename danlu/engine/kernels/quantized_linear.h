// The linear layer with weights of 8 or 4 bits: for inference.
//
// Each group of 32 numbers of a row of x is rounded to 8 bits of its own scale; products and their sums are whole numbers, and
// exact, within a group. The sums of groups are f32, added in their order, so that a row of y is the same whatever rows stand beside it, and
// for any number of threads. A row of x that is not finite makes its row of y NaN.
//
// Threads   parallel inside.
// Source    the idea of groups and of integer products: ggml (Q8_0, Q4_0); the layout is packed_weight.h's.
#pragma once

#include <cstdint>

#include "danlu/engine/kernels/packed_weight.h"

namespace danlu::kernels {

// y (m, rows of w) = x (m, columns of w) w^T + bias, bias (rows of w) or null.
void quantized_linear(const float* x, const PackedWeight& w, const float* bias, float* y, int64_t m);

}  // namespace danlu::kernels
