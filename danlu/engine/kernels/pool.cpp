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
  int64_t pixels() const { return (u1 - u0) * (v1 - v0); }
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

void max_rows(const Pool2dShape& s, const float* x, float* y, uint16_t* index, int64_t begin, int64_t end) {
  const F32 d;
  const hn::RebindToSigned<F32> di;
  const hn::Rebind<uint16_t, F32> d16;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for_windows(s, begin, end, [&](int64_t image, const Window& w, int64_t out) HWY_ATTR {
    const auto pixel = [&](int64_t u, int64_t v) { return x + image + ((w.top + u) * s.width + w.left + v) * s.channels; };
    int64_t c = 0;
    for (; c + lanes <= s.channels; c += lanes) {
      VecF best = hn::LoadU(d, pixel(w.u0, w.v0) + c);
      VecF place = hn::BitCast(d, hn::Set(di, static_cast<int32_t>(w.u0 * s.kernel_w + w.v0)));
      for (int64_t u = w.u0; u < w.u1; ++u) {
        for (int64_t v = w.v0; v < w.v1; ++v) {
          const VecF value = hn::LoadU(d, pixel(u, v) + c);
          const auto greater = hn::Gt(value, best);
          best = hn::IfThenElse(greater, value, best);
          place = hn::IfThenElse(greater, hn::BitCast(d, hn::Set(di, static_cast<int32_t>(u * s.kernel_w + v))), place);
        }
      }
      hn::StoreU(best, d, y + out + c);
      if (index != nullptr) hn::StoreU(hn::DemoteTo(d16, hn::BitCast(di, place)), d16, index + out + c);
    }
    for (; c < s.channels; ++c) {
      float best = pixel(w.u0, w.v0)[c];
      int64_t place = w.u0 * s.kernel_w + w.v0;
      for (int64_t u = w.u0; u < w.u1; ++u) {
        for (int64_t v = w.v0; v < w.v1; ++v) {
          const float value = pixel(u, v)[c];
          if (value > best) best = value, place = u * s.kernel_w + v;
        }
      }
      y[out + c] = best;
      if (index != nullptr) index[out + c] = static_cast<uint16_t>(place);
    }
  });
}

// Writes (or, for windows that overlap, adds) dy where it was largest and 0 elsewhere in the window.
template <bool kAdd>
HWY_INLINE void max_backward_windows(const Pool2dShape& s, const float* dy, const uint16_t* index, float* dx, int64_t begin, int64_t end) {
  const F32 d;
  const hn::RebindToSigned<F32> di;
  const hn::Rebind<uint16_t, F32> d16;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for_windows(s, begin, end, [&](int64_t image, const Window& w, int64_t out) HWY_ATTR {
    for (int64_t u = w.u0; u < w.u1; ++u) {
      for (int64_t v = w.v0; v < w.v1; ++v) {
        float* to = dx + image + ((w.top + u) * s.width + w.left + v) * s.channels;
        const auto here = static_cast<int32_t>(u * s.kernel_w + v);
        int64_t c = 0;
        for (; c + lanes <= s.channels; c += lanes) {
          const auto place = hn::PromoteTo(di, hn::LoadU(d16, index + out + c));
          const VecF g = hn::IfThenElseZero(hn::RebindMask(d, hn::Eq(place, hn::Set(di, here))), hn::LoadU(d, dy + out + c));
          hn::StoreU(kAdd ? hn::Add(g, hn::LoadU(d, to + c)) : g, d, to + c);
        }
        for (; c < s.channels; ++c) {
          const float g = index[out + c] == here ? dy[out + c] : 0.0f;
          to[c] = kAdd ? to[c] + g : g;
        }
      }
    }
  });
}

void max_backward_rows(const Pool2dShape& s, const float* dy, const uint16_t* index, float* dx, int64_t begin, int64_t end, bool add) {
  if (add) max_backward_windows<true>(s, dy, index, dx, begin, end);
  else max_backward_windows<false>(s, dy, index, dx, begin, end);
}

float divisor(const Pool2dShape& s, const Window& w) {
  return 1.0f / static_cast<float>(s.count_padding ? s.kernel_h * s.kernel_w : w.pixels());
}

void avg_rows(const Pool2dShape& s, const float* x, float* y, int64_t begin, int64_t end) {
  for_windows(s, begin, end, [&](int64_t image, const Window& w, int64_t out) HWY_ATTR {
    float* to = y + out;
    std::fill(to, to + s.channels, 0.0f);
    for (int64_t u = w.u0; u < w.u1; ++u) {
      for (int64_t v = w.v0; v < w.v1; ++v) {
        const float* from = x + image + ((w.top + u) * s.width + w.left + v) * s.channels;
        map(to, from, to, s.channels, [](F32, VecF a, VecF b) HWY_ATTR { return hn::Add(a, b); });
      }
    }
    const float scale = divisor(s, w);
    map(to, to, s.channels, [scale](F32 d, VecF a) HWY_ATTR { return hn::Mul(a, hn::Set(d, scale)); });
  });
}

void avg_backward_rows(const Pool2dShape& s, const float* dy, float* dx, int64_t begin, int64_t end) {
  for_windows(s, begin, end, [&](int64_t image, const Window& w, int64_t out) HWY_ATTR {
    const float scale = divisor(s, w);
    for (int64_t u = w.u0; u < w.u1; ++u) {
      for (int64_t v = w.v0; v < w.v1; ++v) {
        float* to = dx + image + ((w.top + u) * s.width + w.left + v) * s.channels;
        map(dy + out, to, to, s.channels, [scale](F32 d, VecF g, VecF sum) HWY_ATTR { return hn::MulAdd(g, hn::Set(d, scale), sum); });
      }
    }
  });
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

// Runs f(first output row, last) for whole images in parallel after clearing their part of dx: windows of one image may
// overlap, those of two never do.
template <class Function>
void for_images(const Pool2dShape& s, float* dx, const Function& f) {
  const int64_t pixels = s.height * s.width * s.channels;
  parallel_for(s.batch, kGrain / std::max<int64_t>(pixels, 1) + 1, [&](int64_t begin, int64_t end) {
    std::fill(dx + begin * pixels, dx + end * pixels, 0.0f);
    f(begin * s.out_height(), end * s.out_height());
  });
}

}  // namespace

void max_pool2d(const Pool2dShape& s, const float* x, float* y, uint16_t* index) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(max_rows);
  parallel_for(s.batch * s.out_height(), row_grain(s), [&](int64_t begin, int64_t end) { kernel(s, x, y, index, begin, end); });
}

void max_pool2d_backward(const Pool2dShape& s, const float* dy, const uint16_t* index, float* dx) {
  const auto kernel = HWY_DYNAMIC_DISPATCH(max_backward_rows);
  // Windows that tile the image exactly write every element of dx once: no clearing.
  const bool exact = s.disjoint() && s.stride_h == s.kernel_h && s.stride_w == s.kernel_w && s.height == s.out_height() * s.stride_h &&
                     s.width == s.out_width() * s.stride_w && s.padding_h == 0 && s.padding_w == 0;
  if (exact) {
    parallel_for(s.batch * s.out_height(), row_grain(s), [&](int64_t begin, int64_t end) { kernel(s, dy, index, dx, begin, end, false); });
    return;
  }
  for_images(s, dx, [&](int64_t begin, int64_t end) { kernel(s, dy, index, dx, begin, end, !s.disjoint()); });
}

void avg_pool2d(const Pool2dShape& s, const float* x, float* y) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(avg_rows);
  parallel_for(s.batch * s.out_height(), row_grain(s), [&](int64_t begin, int64_t end) { kernel(s, x, y, begin, end); });
}

void avg_pool2d_backward(const Pool2dShape& s, const float* dy, float* dx) {
  const auto kernel = HWY_DYNAMIC_DISPATCH(avg_backward_rows);
  for_images(s, dx, [&](int64_t begin, int64_t end) { kernel(s, dy, dx, begin, end); });
}

}  // namespace danlu::kernels
#endif
