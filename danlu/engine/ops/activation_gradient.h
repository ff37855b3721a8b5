// A fused activation and its derivative. For the .cpp files of this room.
#pragma once

#include "danlu/engine/kernels/gemm.h"
#include "danlu/engine/tensor/tensor.h"

namespace danlu {

// y = activation(y), in place.
void activate(kernels::Activation activation, Tensor& y);
// dy * activation'(z) from y = activation(z); dy itself for Activation::none (y may be undefined then).
Tensor activation_gradient(kernels::Activation activation, const Tensor& dy, const Tensor& y);

}  // namespace danlu
