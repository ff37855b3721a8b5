#include "danlu/engine/kernels/gather_plan.h"

#include <algorithm>

namespace danlu::kernels {
namespace {

// One axis of an image: what pixels of one phase read along it. Pixel i of the phase is pixel first + i * step of the
// result, and its window begins at i * stride.
struct Axis {
  struct Tap {
    int64_t at, kernel;  // where it reads, from the beginning of the window; negative before the image
  };
  int64_t first, step, count, stride;
  std::vector<Tap> taps;
};

// How far windows reach: `before` the image, and to which row or column of it (exclusive).
struct Reach {
  int64_t before = 0, end = 0;
};

Reach reach_of(const std::vector<Axis>& axes) {
  Reach reach;
  for (const Axis& axis : axes) {
    for (const Axis::Tap& tap : axis.taps) {
      reach.before = std::max(reach.before, -tap.at);
      reach.end = std::max(reach.end, (axis.count - 1) * axis.stride + tap.at + 1);
    }
  }
  return reach;
}

std::vector<Axis> forward_axis(int64_t out, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation) {
  Axis axis{0, 1, out, stride, {}};
  for (int64_t u = 0; u < kernel; ++u) axis.taps.push_back({u * dilation - padding, u});
  return {axis};
}

// Row i of dx has a part from row j of dy by row u of the kernel where i + padding - u * dilation = j * stride.
std::vector<Axis> backward_axis(int64_t size, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation) {
  std::vector<Axis> axes;
  for (int64_t phase = 0; phase < std::min(stride, size); ++phase) {
    Axis axis{phase, stride, (size - phase + stride - 1) / stride, 1, {}};
    for (int64_t u = kernel - 1; u >= 0; --u) {  // in the order in which they lie
      const int64_t at = phase + padding - u * dilation;
      if (at % stride == 0) axis.taps.push_back({at / stride, u});
    }
    axes.push_back(std::move(axis));
  }
  return axes;
}

struct Image {
  int64_t height, width, channels;
};

GatherPlan plan(const Image& in, const Image& out, int64_t kernel_w, const std::vector<Axis>& vertical,
                const std::vector<Axis>& horizontal) {
  const Reach y = reach_of(vertical), x = reach_of(horizontal);
  GatherPlan p{.channels = in.channels,
               .outputs = out.channels,
               .height = in.height,
               .width = in.width,
               .out_pixels = out.height * out.width,
               .top = y.before,
               .left = x.before,
               .rows = y.before + y.end,
               .columns = x.before + x.end};
  p.bordered = p.top > 0 || p.left > 0 || p.rows > in.height || p.columns > in.width;
  const int64_t line = p.bordered ? p.columns : in.width;
  for (const Axis& v : vertical) {
    for (const Axis& h : horizontal) {
      const auto first_pixel = static_cast<int64_t>(p.pixels.size()), first_tap = static_cast<int64_t>(p.taps.size());
      for (int64_t i = 0; i < v.count; ++i) {
        for (int64_t j = 0; j < h.count; ++j) {
          p.pixels.push_back({(i * v.stride * line + j * h.stride) * in.channels,
                              ((v.first + i * v.step) * out.width + h.first + j * h.step) * out.channels});
        }
      }
      for (const Axis::Tap& u : v.taps) {
        for (const Axis::Tap& t : h.taps) {
          p.taps.push_back({((u.at + p.top) * line + t.at + p.left) * in.channels, u.kernel * kernel_w + t.kernel});
        }
      }
      p.phases.push_back(
          {first_pixel, v.count * h.count, first_tap, static_cast<int64_t>(v.taps.size() * h.taps.size())});
    }
  }
  return p;
}

}  // namespace

GatherPlan plan_forward(const Conv2dShape& s) {
  return plan({s.height, s.width, s.channels}, {s.out_height(), s.out_width(), s.filters}, s.kernel_w,
              forward_axis(s.out_height(), s.kernel_h, s.stride_h, s.padding_h, s.dilation_h),
              forward_axis(s.out_width(), s.kernel_w, s.stride_w, s.padding_w, s.dilation_w));
}

GatherPlan plan_backward_data(const Conv2dShape& s) {
  return plan({s.out_height(), s.out_width(), s.filters}, {s.height, s.width, s.channels}, s.kernel_w,
              backward_axis(s.height, s.kernel_h, s.stride_h, s.padding_h, s.dilation_h),
              backward_axis(s.width, s.kernel_w, s.stride_w, s.padding_w, s.dilation_w));
}

}  // namespace danlu::kernels
