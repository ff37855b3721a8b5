// Dropout.
//
//   y = x * mask / (1 - p), mask 0 with probability p, else 1
//
// The mask comes from this thread's generator (random.h), which moves on by one draw; backward makes it again.
// Gradient  dx = dy * mask / (1 - p). Saves nothing.
// Errors    ConfigError unless 0 <= p < 1.
// Source    Srivastava et al. 2014.
#pragma once

#include "danlu/engine/tensor/tensor.h"

namespace danlu {

Tensor dropout(const Tensor& x, float p);

}  // namespace danlu
