// Pooling over windows of images (N, H, W, C), vectorised over channels.
// Threads: parallel over images or rows; results do not depend on the number of threads.
#pragma once

#include <cstdint>

namespace danlu::kernels {

struct Pool2dShape {
  int64_t batch = 0, height = 0, width = 0, channels = 0;  // of x
  int64_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, padding_h = 0, padding_w = 0;
  bool count_padding = true;  // average: divide by the whole window, padding included

  int64_t out_height() const { return (height + 2 * padding_h - kernel_h) / stride_h + 1; }
  int64_t out_width() const { return (width + 2 * padding_w - kernel_w) / stride_w + 1; }
  // Every pixel belongs to at most one window.
  bool disjoint() const { return stride_h >= kernel_h && stride_w >= kernel_w; }
  // Every pixel belongs to exactly one window.
  bool tiles() const {
    return stride_h == kernel_h && stride_w == kernel_w && padding_h == 0 && padding_w == 0 && height % kernel_h == 0 &&
           width % kernel_w == 0;
  }
};

// Positions in a window are numbered row by row in 16 bits.
constexpr int64_t kMaxPoolWindow = 65535;

// y: (N, H', W', C). `index`, unless null, gets the number of the first largest position in each window. Padding never wins; a NaN
// does.
void max_pool2d(const Pool2dShape& shape, const float* x, float* y, uint16_t* index);
// dx is overwritten.
void max_pool2d_backward(const Pool2dShape& shape, const float* dy, const uint16_t* index, float* dx);

void avg_pool2d(const Pool2dShape& shape, const float* x, float* y);
void avg_pool2d_backward(const Pool2dShape& shape, const float* dy, float* dx);

}  // namespace danlu::kernels
