// The last layer of a language model and its loss in one: cross_entropy(linear(x, weight), target) without ever having all
// logits in memory.
//
// Shapes    x: (M, C)   weight: (V, C)   target: i64 (M)   result: scalar, the mean over the targets that count; 0 if none does
// Gradient  dx, dweight, made piece by piece in the forward pass, while the logits of some rows are there, and scaled in backward.
// Errors    DataError for a target outside [0, V) other than `ignore`; ShapeError; DtypeError.
// Threads   parallel inside; the same bits for any number of threads.
// Source    Hsu et al. 2024 (Liger Kernel), arXiv:2410.10989.
#pragma once

#include "danlu/engine/tensor/tensor.h"

namespace danlu {

struct LinearCrossEntropyOptions {
  int64_t ignore = -1;  // rows with this target do not count
};

Tensor linear_cross_entropy(const Tensor& x, const Tensor& weight, const Tensor& target, const LinearCrossEntropyOptions& options = {});

}  // namespace danlu
