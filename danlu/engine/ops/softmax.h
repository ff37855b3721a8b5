// Softmax and its logarithm over the last axis.
//
// Shapes    x: (..., C), C >= 1   y: as x
// Gradient  dx, from y.
// For a loss take cross_entropy on the logits themselves: a softmax before it would be applied twice.
#pragma once

#include "danlu/engine/tensor/tensor.h"

namespace danlu {

Tensor softmax(const Tensor& x);
Tensor log_softmax(const Tensor& x);

}  // namespace danlu
