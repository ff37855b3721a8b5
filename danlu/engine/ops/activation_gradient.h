// The derivative of a fused activation. For the .cpp files of this room.
#pragma once

#include "danlu/engine/kernels/gemm.h"
#include "danlu/engine/tensor/tensor.h"

namespace danlu {

// dy * activation'(z) from y = activation(z); dy itself for Activation::none (y may be undefined then).
Tensor activation_gradient(kernels::Activation activation, const Tensor& dy, const Tensor& y);

}  // namespace danlu
