// Two-dimensional convolution over images in (N, H, W, C) order.
#pragma once

#include "danlu/engine/ops/linear.h"
#include "danlu/engine/tensor/tensor.h"

namespace danlu {

// Two numbers, or one for both.
struct Size2d {
  int64_t height, width;
  Size2d(int64_t both) : height(both), width(both) {}  // NOLINT(google-explicit-constructor): reads like PyTorch
  Size2d(int64_t h, int64_t w) : height(h), width(w) {}
};

struct Conv2dOptions {
  Size2d stride = 1;
  Size2d padding = 0;   // on each side, with zeros
  Size2d dilation = 1;
  int64_t groups = 1;
  Activation activation = Activation::none;
};

// y[n, i, j, o] = activation(bias[o] + sum over u, v, c of
//                 x[n, i * stride + u * dilation - padding, j * stride + v * dilation - padding, c] * weight[o, c, u, v])
//
// Shapes    x: (N, H, W, C)   weight: (O, C / groups, kh, kw), as in PyTorch   bias: (O), or undefined for none
//           y: (N, H', W', O) with H' = floor((H + 2 padding - dilation (kh - 1) - 1) / stride) + 1
// Gradient  dx, dweight, dbias. Saves x and weight (shared, not copied), and y if there is an activation.
// Numbers   the fused relu makes 0 of a NaN, as in linear.
// Errors    ShapeError if shapes do not fit, groups do not divide the channels, or the kernel is larger than the padded image.
// Threads   parallel inside.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const Conv2dOptions& options = {});

struct ConvTranspose2dOptions {
  Size2d stride = 1;
  Size2d padding = 0;         // pixels that are cut off on each side of the result
  Size2d output_padding = 0;  // rows and columns added below and to the right, fewer than the stride
  Size2d dilation = 1;
  int64_t groups = 1;
  Activation activation = Activation::none;
};

// The transpose of conv2d as a linear map, which makes images larger: every pixel of x adds its multiple of the window of weights to y.
//
// Shapes    x: (N, H, W, C)   weight: (C, O / groups, kh, kw), as in PyTorch   bias: (O), or undefined for none
//           y: (N, H', W', O) with H' = (H - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1
// Gradient  dx, dweight, dbias. Saves x and weight (shared, not copied), and y if there is an activation.
// Errors    ShapeError if shapes do not fit, or nothing is left of y.
// Threads   parallel inside.
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const ConvTranspose2dOptions& options = {});

}  // namespace danlu
