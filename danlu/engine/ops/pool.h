// Pooling over windows of images in (N, H, W, C) order.
//
// Shapes    x: (N, H, W, C)   y: (N, H', W', C) with H' = floor((H + 2 padding - kernel) / stride) + 1
// Gradient  of max_pool2d goes to the first largest element of each window.
// Errors    ShapeError if the window is larger than the padded image, padding more than half the window, or a window of
//           more than 65535 pixels.
#pragma once

#include "danlu/engine/ops/conv.h"
#include "danlu/engine/tensor/tensor.h"

namespace danlu {

struct Pool2dOptions {
  Size2d kernel = 2;
  Size2d stride = 2;
  Size2d padding = 0;
  bool count_include_pad = true;  // avg_pool2d: padding counts as zeros in the mean, as in PyTorch
};

Tensor max_pool2d(const Tensor& x, const Pool2dOptions& options = {});
Tensor avg_pool2d(const Tensor& x, const Pool2dOptions& options = {});

}  // namespace danlu
