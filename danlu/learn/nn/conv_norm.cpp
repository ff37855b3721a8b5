#include "danlu/learn/nn/conv_norm.h"

namespace danlu::nn {

ConvNorm::ConvNorm(int64_t in_channels, int64_t filters, Size2d kernel, Conv2dLayerOptions options) {
  options.bias = false;  // the norm would take it away again
  conv_ = add("conv", Conv2d(in_channels, filters, kernel, options));
  norm_ = add("norm", BatchNorm(filters));
}

std::string ConvNorm::describe() const {
  const std::string conv = conv_->describe();  // "Conv2d(1, 8, kernel=3, bias=false)"
  return "ConvNorm" + conv.substr(conv.find('('), conv.rfind(", bias=false") - conv.find('(')) + ")";
}

void ConvNorm::begin_with_zero() { norm_->weight.fill(0.0f); }

}  // namespace danlu::nn
