// A convolution without bias and the batch norm behind it, with what follows in the same pass: the piece that residual networks,
// MobileNets and the later VGGs are made of.
#pragma once

#include <memory>
#include <string>

#include "danlu/learn/nn/layers.h"

namespace danlu::nn {

class ConvNorm : public Module {
 public:
  ConvNorm(int64_t in_channels, int64_t filters, Size2d kernel, Conv2dLayerOptions options = {});
  // relu(norm(conv(x)))
  Tensor forward(const Tensor& x) override { return forward(x, 0); }
  // f(norm(conv(x)) + residual), f as in batch_norm: slope 0 is ReLU, 1 nothing.
  Tensor forward(const Tensor& x, float negative_slope, const Tensor& residual = {}) { return norm_->forward((*conv_)(x), negative_slope, residual); }
  std::string describe() const override;

  // Makes the block that ends in this layer begin as the identity, so that deep networks learn from the first step.
  // Source: Goyal et al. 2017, arXiv:1706.02677, section 5.1.
  void begin_with_zero();

 private:
  std::shared_ptr<Conv2d> conv_;
  std::shared_ptr<BatchNorm> norm_;
};

}  // namespace danlu::nn
