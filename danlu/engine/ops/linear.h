// Matrix products.
//
// Errors    ShapeError naming both shapes if they do not fit; DtypeError for other types than f32.
// Threads   parallel inside.
#pragma once

#include "danlu/engine/kernels/gemm.h"
#include "danlu/engine/tensor/tensor.h"

namespace danlu {

using kernels::Activation;  // none, relu, leaky_relu, sigmoid, tanh: those that a product can be fused with

struct MatmulOptions {
  bool transpose_a = false;  // of the last two axes
  bool transpose_b = false;
};

// Shapes    a: (..., M, K)   b: (..., K, N) with the same leading axes, or (K, N) for all of them   y: (..., M, N)
Tensor matmul(const Tensor& a, const Tensor& b, MatmulOptions options = {});

// y = activation(x weight^T + bias): bias and activation cost no pass of their own.
//
// Shapes    x: (..., in)   weight: (out, in), as in PyTorch   bias: (out), or undefined for none   y: (..., out)
// Gradient  dx, dweight, dbias. Saves x and weight (shared, not copied), and y if there is an activation.
// Numbers   the fused relu makes 0 of a NaN, as oneDNN does; relu() of elementwise.h keeps it.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, Activation activation = Activation::none);

}  // namespace danlu
