// MobileNet: a block widens the channels by a 1 x 1 convolution, filters each channel alone, and narrows them again; its narrow ends are
// joined by a shortcut. A fraction of the arithmetic of a residual network of the same depth.
//
//   model: {type: mobilenet, width: 16, blocks: [1, 2, 3], expansion: 4}
//
// Each stage but the first halves height and width and doubles the channels; then the mean over the image, and the head.
// Source    Sandler et al. 2018, arXiv:1801.04381 (inverted residuals, linear bottlenecks).
#pragma once

#include <memory>
#include <vector>

#include "danlu/base/options.h"
#include "danlu/learn/nn/module.h"

namespace danlu::models {

struct MobileNetOptions {
  int64_t width = 16;
  std::vector<int64_t> blocks = {1, 2, 3};
  int64_t expansion = 4;
  double dropout = 0;
  void describe(OptionVisitor& v);
};

// Throws ConfigError for samples that are no images.
std::unique_ptr<nn::Module> make_mobilenet(const MobileNetOptions& options, const Shape& input, int64_t outputs);

}  // namespace danlu::models
