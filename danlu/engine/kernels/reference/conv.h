// Reference convolution of images (N, H, W, C) with weights (O, C / groups, kh, kw).
#pragma once

#include "danlu/engine/kernels/conv.h"
#include "danlu/engine/kernels/reference/linear.h"

namespace danlu::kernels::reference {

// One output element, before bias and activation.
template <class T>
T conv2d_at(const Conv2dShape& s, const std::vector<T>& x, const std::vector<T>& w, int64_t n, int64_t i, int64_t j, int64_t o) {
  const int64_t group_channels = s.channels / s.groups, first = o / (s.filters / s.groups) * group_channels;
  T total(0);
  for (int64_t u = 0; u < s.kernel_h; ++u) {
    for (int64_t v = 0; v < s.kernel_w; ++v) {
      const int64_t row = i * s.stride_h + u * s.dilation_h - s.padding_h, column = j * s.stride_w + v * s.dilation_w - s.padding_w;
      if (row < 0 || row >= s.height || column < 0 || column >= s.width) continue;
      for (int64_t c = 0; c < group_channels; ++c) {
        total += x[static_cast<size_t>(((n * s.height + row) * s.width + column) * s.channels + first + c)] *
                 w[static_cast<size_t>(((o * group_channels + c) * s.kernel_h + u) * s.kernel_w + v)];
      }
    }
  }
  return total;
}

// bias (O) or empty.
template <class T>
std::vector<T> conv2d(const Conv2dShape& s, const std::vector<T>& x, const std::vector<T>& w, const std::vector<T>& bias, Activation activation) {
  std::vector<T> y;
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t i = 0; i < s.out_height(); ++i) {
      for (int64_t j = 0; j < s.out_width(); ++j) {
        for (int64_t o = 0; o < s.filters; ++o) {
          const T z = conv2d_at(s, x, w, n, i, j, o);
          y.push_back(activate(activation, bias.empty() ? z : z + bias[static_cast<size_t>(o)]));
        }
      }
    }
  }
  return y;
}

// The transpose of conv2d: x (batch, out_height, out_width, filters) to (batch, height, width, channels), of whose shape `s` speaks.
template <class T>
std::vector<T> conv_transpose2d(const Conv2dShape& s, const std::vector<T>& x, const std::vector<T>& w, const std::vector<T>& bias,
                                Activation activation) {
  std::vector<T> y(static_cast<size_t>(s.batch * s.height * s.width * s.channels), T(0));
  for (size_t i = 0; !bias.empty() && i < y.size(); ++i) y[i] = bias[i % bias.size()];
  const int64_t group_channels = s.channels / s.groups, group_filters = s.filters / s.groups;
  int64_t from = 0;
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t i = 0; i < s.out_height(); ++i) {
      for (int64_t j = 0; j < s.out_width(); ++j) {
        for (int64_t f = 0; f < s.filters; ++f, ++from) {
          for (int64_t u = 0; u < s.kernel_h; ++u) {
            for (int64_t v = 0; v < s.kernel_w; ++v) {
              const int64_t row = i * s.stride_h + u * s.dilation_h - s.padding_h, column = j * s.stride_w + v * s.dilation_w - s.padding_w;
              if (row < 0 || row >= s.height || column < 0 || column >= s.width) continue;
              for (int64_t c = 0; c < group_channels; ++c) {
                y[static_cast<size_t>(((n * s.height + row) * s.width + column) * s.channels + f / group_filters * group_channels + c)] +=
                    x[static_cast<size_t>(from)] * w[static_cast<size_t>(((f * group_channels + c) * s.kernel_h + u) * s.kernel_w + v)];
              }
            }
          }
        }
      }
    }
  }
  for (T& value : y) value = activate(activation, value);
  return y;
}

}  // namespace danlu::kernels::reference
