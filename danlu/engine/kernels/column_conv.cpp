#include "danlu/engine/kernels/column_conv.h"

#include <algorithm>

#include "danlu/base/threads.h"
#include "danlu/engine/kernels/gemm.h"
#include "danlu/engine/kernels/matmul_precision.h"
#include "danlu/engine/kernels/workspace.h"

namespace danlu::kernels {
namespace {

// Adds shares (out_height, out_width, channels, kernel_h, kernel_w) to the pixels of an image of zeros.
void add_windows(const Conv2dShape& s, const float* shares, float* dx) {
  for (int64_t i = 0; i < s.out_height(); ++i) {
    for (int64_t j = 0; j < s.out_width(); ++j) {
      const int64_t top = i * s.stride_h - s.padding_h, left = j * s.stride_w - s.padding_w;
      const int64_t v0 = std::max<int64_t>(0, -left), v1 = std::min(s.kernel_w, s.width - left);
      for (int64_t c = 0; c < s.channels; ++c) {
        for (int64_t u = 0; u < s.kernel_h; ++u, shares += s.kernel_w) {
          if (top + u < 0 || top + u >= s.height) continue;
          float* const row = dx + ((top + u) * s.width + left) * s.channels + c;
          for (int64_t v = v0; v < v1; ++v) row[v * s.channels] += shares[v];
        }
      }
    }
  }
}

}  // namespace

bool column_conv_takes(const Conv2dShape& s) {
  constexpr int64_t kMostChannels = 4, kLeastFilters = 16;
  return s.groups == 1 && s.dilation_h == 1 && s.dilation_w == 1 && s.channels <= kMostChannels && s.filters >= kLeastFilters;
}

void column_conv_backward_data(const Conv2dShape& s, const float* dy, const float* w, float* dx) {
  const WithMatmulPrecision highest(MatmulPrecision::highest);  // as convolutions of few channels are everywhere
  const int64_t outputs = s.out_height() * s.out_width(), window = s.channels * s.kernel_h * s.kernel_w, pixels = s.height * s.width * s.channels;
  parallel_for(s.batch, 1, [&](int64_t begin, int64_t end) {
    Workspace workspace(outputs * window);
    float* const shares = workspace.take(outputs * window);
    for (int64_t n = begin; n < end; ++n) {
      gemm(false, false, outputs, window, s.filters, dy + n * outputs * s.filters, w, 0, shares);
      std::fill(dx + n * pixels, dx + (n + 1) * pixels, 0.0f);
      add_windows(s, shares, dx + n * pixels);
    }
  });
}

}  // namespace danlu::kernels
