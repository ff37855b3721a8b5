#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "danlu/engine/kernels/pool.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include <algorithm>

#include "danlu/base/threads.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/pool.h"
#include "danlu/engine/kernels/vector_map.inl.h"

HWY_BEFORE_NAMESPACE();
namespace danlu::kernels::HWY_NAMESPACE {
namespace {

// The part of a window that lies on the image, in window coordinates.
struct Window {
  int64_t top, left;  // of the window, in pixels; may be negative
  int64_t u0, u1, v0, v1;
  Window(const Pool2dShape& s, int64_t i, int64_t j)
      : top(i * s.stride_h - s.padding_h), left(j * s.stride_w - s.padding_w),
        u0(std::max<int64_t>(0, -top)), u1(std::min(s.kernel_h, s.height - top)),
        v0(std::max<int64_t>(0, -left)), v1(std::min(s.kernel_w, s.width - left)) {}
  // Where the channels of a pixel of the window start in its image.
  int64_t offset(const Pool2dShape& s, int64_t u, int64_t v) const { return ((top + u) * s.width + left + v) * s.channels; }
  // The part of one pixel in the mean.
  float share(const Pool2dShape& s) const {
    return 1.0f / static_cast<float>(s.count_padding ? s.kernel_h * s.kernel_w : (u1 - u0) * (v1 - v0));
  }
};

// Calls f(image row base x0, window, output pixel offset) for the output rows [begin, end), counted over all images.
template <class Function>
HWY_INLINE void for_windows(const Pool2dShape& s, int64_t begin, int64_t end, const Function& f) {
  const int64_t oh = s.out_height(), ow = s.out_width();
  for (int64_t row = begin; row < end; ++row) {
    const int64_t image = row / oh * s.height * s.width * s.channels;
    for (int64_t j = 0; j < ow; ++j) f(image, Window(s, row % oh, j), (row * ow + j) * s.channels);
  }
}

// Calls f(d, c) for the channels of a pixel: whole vectors, then single lanes.
template <class Function>
HWY_INLINE void for_channels(int64_t channels, const Function& f) {
  const F32 d;
  const hn::CappedTag<float, 1> single;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t c = 0;
  for (; c + lanes <= channels; c += lanes) f(d, c);
  for (; c < channels; ++c) f(single, c);
}

void max_rows(const Pool2dShape& s, const float* x, float* y, uint16_t* index, int64_t begin, int64_t end) {
  for_windows(s, begin, end, [&](int64_t image, const Window& w, int64_t out) HWY_ATTR {
    for_channels(s.channels, [&](auto d, int64_t c) HWY_ATTR {
      const hn::RebindToSigned<decltype(d)> di;
      const hn::Rebind<uint16_t, decltype(d)> d16;
      auto best = hn::LoadU(d, x + image + w.offset(s, w.u0, w.v0) + c);
      auto place = hn::Set(di, static_cast<int32_t>(w.u0 * s.kernel_w + w.v0));
      for (int64_t u = w.u0; u < w.u1; ++u) {
        for (int64_t v = w.v0; v < w.v1; ++v) {
          const auto value = hn::LoadU(d, x + image + w.offset(s, u, v) + c);
          const auto wins = hn::Or(hn::Gt(value, best), hn::IsNaN(value));
          best = hn::IfThenElse(wins, value, best);
          place = hn::IfThenElse(hn::RebindMask(di, wins), hn::Set(di, static_cast<int32_t>(u * s.kernel_w + v)), place);
        }
      }
      hn::StoreU(best, d, y + out + c);
      if (index != nullptr) hn::StoreU(hn::DemoteTo(d16, place), d16, index + out + c);
    });
  });
}

void avg_rows(const Pool2dShape& s, const float* x, float* y, int64_t begin, int64_t end) {
  for_windows(s, begin, end, [&](int64_t image, const Window& w, int64_t out) HWY_ATTR {
    const float share = w.share(s);
    for_channels(s.channels, [&](auto d, int64_t c) HWY_ATTR {
      auto total = hn::Zero(d);
      for (int64_t u = w.u0; u < w.u1; ++u) {
        for (int64_t v = w.v0; v < w.v1; ++v) total = hn::Add(total, hn::LoadU(d, x + image + w.offset(s, u, v) + c));
      }
      hn::StoreU(hn::Mul(total, hn::Set(d, share)), d, y + out + c);
    });
  });
}

// Writes (or, for windows that overlap, adds) what each pixel of each window gets: gradient(d, window, u, v, output offset).
template <bool kAdd, class Gradient>
HWY_INLINE void backward_windows(const Pool2dShape& s, float* dx, int64_t begin, int64_t end, const Gradient& gradient) {
  for_windows(s, begin, end, [&](int64_t image, const Window& w, int64_t out) HWY_ATTR {
    for (int64_t u = w.u0; u < w.u1; ++u) {
      for (int64_t v = w.v0; v < w.v1; ++v) {
        float* to = dx + image + w.offset(s, u, v);
        for_channels(s.channels, [&](auto d, int64_t c) HWY_ATTR {
          const auto g = gradient(d, w, u, v, out + c);
          hn::StoreU(kAdd ? hn::Add(g, hn::LoadU(d, to + c)) : g, d, to + c);
        });
      }
    }
  });
}

// dy where the window was largest, 0 elsewhere.
void max_backward_rows(const Pool2dShape& s, const float* dy, const uint16_t* index, float* dx, int64_t begin, int64_t end, bool add) {
  const auto gradient = [&](auto d, const Window&, int64_t u, int64_t v, int64_t out) HWY_ATTR {
    const hn::RebindToSigned<decltype(d)> di;
    const hn::Rebind<uint16_t, decltype(d)> d16;
    const auto here = hn::Eq(hn::PromoteTo(di, hn::LoadU(d16, index + out)), hn::Set(di, static_cast<int32_t>(u * s.kernel_w + v)));
    return hn::IfThenElseZero(hn::RebindMask(d, here), hn::LoadU(d, dy + out));
  };
  if (add) backward_windows<true>(s, dx, begin, end, gradient);
  else backward_windows<false>(s, dx, begin, end, gradient);
}

void avg_backward_rows(const Pool2dShape& s, const float* dy, float* dx, int64_t begin, int64_t end, bool add) {
  const auto gradient = [&](auto d, const Window& w, int64_t, int64_t, int64_t out) HWY_ATTR {
    return hn::Mul(hn::LoadU(d, dy + out), hn::Set(d, w.share(s)));
  };
  if (add) backward_windows<true>(s, dx, begin, end, gradient);
  else backward_windows<false>(s, dx, begin, end, gradient);
}

}  // namespace
}  // namespace danlu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace danlu::kernels {
namespace {

HWY_EXPORT(max_rows);
HWY_EXPORT(max_backward_rows);
HWY_EXPORT(avg_rows);
HWY_EXPORT(avg_backward_rows);

constexpr int64_t kGrain = 1 << 14;  // elements of x

int64_t row_grain(const Pool2dShape& s) { return kGrain / std::max<int64_t>(s.kernel_h * s.width * s.channels, 1) + 1; }

// Runs kernel(first output row, last, add) over all windows, so that dx is theirs alone. Windows of one image may overlap, those
// of two never do.
template <class Kernel>
void backward(const Pool2dShape& s, float* dx, const Kernel& kernel) {
  if (s.tiles()) {
    parallel_for(s.batch * s.out_height(), row_grain(s), [&](int64_t begin, int64_t end) { kernel(begin, end, false); });
    return;
  }
  const int64_t pixels = s.height * s.width * s.channels;
  parallel_for(s.batch, kGrain / std::max<int64_t>(pixels, 1) + 1, [&](int64_t begin, int64_t end) {
    std::fill(dx + begin * pixels, dx + end * pixels, 0.0f);
    kernel(begin * s.out_height(), end * s.out_height(), !s.disjoint());
  });
}

}  // namespace

void max_pool2d(const Pool2dShape& s, const float* x, float* y, uint16_t* index) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(max_rows);
  parallel_for(s.batch * s.out_height(), row_grain(s), [&](int64_t begin, int64_t end) { kernel(s, x, y, index, begin, end); });
}

void max_pool2d_backward(const Pool2dShape& s, const float* dy, const uint16_t* index, float* dx) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(max_backward_rows);
  backward(s, dx, [&](int64_t begin, int64_t end, bool add) { kernel(s, dy, index, dx, begin, end, add); });
}

void avg_pool2d(const Pool2dShape& s, const float* x, float* y) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(avg_rows);
  parallel_for(s.batch * s.out_height(), row_grain(s), [&](int64_t begin, int64_t end) { kernel(s, x, y, begin, end); });
}

void avg_pool2d_backward(const Pool2dShape& s, const float* dy, float* dx) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(avg_backward_rows);
  backward(s, dx, [&](int64_t begin, int64_t end, bool add) { kernel(s, dy, dx, begin, end, add); });
}

}  // namespace danlu::kernels
#endif
