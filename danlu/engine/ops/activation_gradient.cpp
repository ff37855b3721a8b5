#include "danlu/engine/ops/activation_gradient.h"

#include "danlu/engine/kernels/elementwise.h"

namespace danlu {

Tensor activation_gradient(kernels::Activation activation, const Tensor& dy, const Tensor& y) {
  using kernels::Activation;
  using kernels::Unary;
  if (activation == Activation::none) return dy;
  const Unary f = activation == Activation::relu ? Unary::relu : activation == Activation::sigmoid ? Unary::sigmoid : Unary::tanh;
  Tensor dz = Tensor::empty(dy.shape());
  kernels::unary_backward(f, dy.data(), nullptr, y.data(), dz.mutable_data(), dy.numel());
  return dz;
}

}  // namespace danlu
