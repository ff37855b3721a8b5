#include "danlu/engine/ops/activation_gradient.h"

#include "danlu/engine/kernels/elementwise.h"

namespace danlu {
namespace {

using kernels::Activation;
using kernels::Unary;

// Of those that do something.
Unary function_of(Activation activation) {
  return activation == Activation::relu         ? Unary::relu
         : activation == Activation::leaky_relu ? Unary::leaky_relu
         : activation == Activation::sigmoid    ? Unary::sigmoid
                                                : Unary::tanh;
}

}  // namespace

void activate(Activation activation, Tensor& y) {
  if (activation != Activation::none) kernels::unary(function_of(activation), y.data(), y.mutable_data(), y.numel());
}

Tensor activation_gradient(Activation activation, const Tensor& dy, const Tensor& y) {
  if (activation == Activation::none) return dy;
  Tensor dz = Tensor::empty(dy.shape());
  kernels::unary_backward(function_of(activation), dy.data(), nullptr, y.data(), dz.mutable_data(), dy.numel());
  return dz;
}

}  // namespace danlu
