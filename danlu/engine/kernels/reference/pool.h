// Reference pooling of images (N, H, W, C).
#pragma once

#include <vector>

#include "danlu/engine/kernels/pool.h"

namespace danlu::kernels::reference {

// y[window] = f(the values of the window that lie on the image).
template <class T, class Function>
std::vector<T> pool2d(const Pool2dShape& s, const std::vector<T>& x, const Function& f) {
  std::vector<T> y;
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t i = 0; i < s.out_height(); ++i) {
      for (int64_t j = 0; j < s.out_width(); ++j) {
        for (int64_t c = 0; c < s.channels; ++c) {
          std::vector<T> window;
          for (int64_t row = i * s.stride_h - s.padding_h; row < i * s.stride_h - s.padding_h + s.kernel_h; ++row) {
            for (int64_t column = j * s.stride_w - s.padding_w; column < j * s.stride_w - s.padding_w + s.kernel_w; ++column) {
              if (row < 0 || row >= s.height || column < 0 || column >= s.width) continue;
              window.push_back(x[static_cast<size_t>(((n * s.height + row) * s.width + column) * s.channels + c)]);
            }
          }
          y.push_back(f(window));
        }
      }
    }
  }
  return y;
}

template <class T>
std::vector<T> max_pool2d(const Pool2dShape& s, const std::vector<T>& x) {
  return pool2d(s, x, [](const std::vector<T>& window) {
    T best = window[0];
    for (const T value : window) best = value > best || value != value ? value : best;  // a NaN stays
    return best;
  });
}

template <class T>
std::vector<T> avg_pool2d(const Pool2dShape& s, const std::vector<T>& x) {
  return pool2d(s, x, [&](const std::vector<T>& window) {
    T total(0);
    for (const T value : window) total += value;
    return total / T(s.count_padding ? s.kernel_h * s.kernel_w : static_cast<int64_t>(window.size()));
  });
}

}  // namespace danlu::kernels::reference
