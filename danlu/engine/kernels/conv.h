// Two-dimensional convolution (cross-correlation, as every framework of the field computes it), by oneDNN or our own
// loops (direct_conv.h, column_conv.h, and in half precision amx_conv.h), whichever is faster for that shape on this processor.
//
//   y[n, i, j, o] = bias[o] + sum over u, v, c of x[n, i*stride - padding + u*dilation, j*... , c] * w[o, c, u, v]
//
// Images are (N, H, W, C): measured, oneDNN reaches 70 to 85 % of the FMA peak on them and 15 to 40 % on (N, C, H, W),
// and our own loops vectorise over channels. Weights are (O, C / groups, kernel_h, kernel_w) as PyTorch keeps them; the
// copy into the layout that oneDNN likes costs a few microseconds. Threads: parallel inside, may be called from any
// thread. The same bits for any number of threads. Errors: as in gemm.h.
#pragma once

#include <cstdint>

#include "danlu/engine/kernels/gemm.h"

namespace danlu::kernels {

struct Conv2dShape {
  int64_t batch = 0, height = 0, width = 0, channels = 0;  // of x
  int64_t filters = 0, kernel_h = 0, kernel_w = 0;
  int64_t stride_h = 1, stride_w = 1, padding_h = 0, padding_w = 0, dilation_h = 1, dilation_w = 1, groups = 1;

  int64_t out_height() const { return out(height, kernel_h, stride_h, padding_h, dilation_h); }
  int64_t out_width() const { return out(width, kernel_w, stride_w, padding_w, dilation_w); }
  friend bool operator==(const Conv2dShape&, const Conv2dShape&) = default;

 private:
  static int64_t out(int64_t n, int64_t k, int64_t s, int64_t p, int64_t d) {
    const int64_t span = n + 2 * p - d * (k - 1) - 1;
    return span < 0 ? 0 : span / s + 1;
  }
};

// y (batch, out_height, out_width, filters); bias (filters) or null.
void conv2d_forward(const Conv2dShape& shape, const float* x, const float* w, const float* bias, float* y,
                    Activation activation);
// dx is overwritten.
void conv2d_backward_data(const Conv2dShape& shape, const float* dy, const float* w, float* dx);
// dw and, unless null, dbias are overwritten.
void conv2d_backward_weights(const Conv2dShape& shape, const float* x, const float* dy, float* dw, float* dbias);

}  // namespace danlu::kernels
