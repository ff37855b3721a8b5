#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "danlu/engine/kernels/rope.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include <algorithm>
#include <cmath>
#include <cstring>

#include "danlu/base/threads.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/rope.h"
#include "danlu/engine/kernels/vector_map.inl.h"

HWY_BEFORE_NAMESPACE();
namespace danlu::kernels::HWY_NAMESPACE {
namespace {

// (y, y + n) = (a cos - b sin, b cos + a sin), sin times `direction`
HWY_INLINE void rotate(const float* a, const float* b, const float* cosines, const float* sines, float direction, float* y, int64_t n) {
  const F32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const VecF sign = hn::Set(d, direction);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const VecF u = hn::LoadU(d, a + i), v = hn::LoadU(d, b + i), c = hn::LoadU(d, cosines + i), s = hn::Mul(sign, hn::LoadU(d, sines + i));
    hn::StoreU(hn::NegMulAdd(v, s, hn::Mul(u, c)), d, y + i);
    hn::StoreU(hn::MulAdd(u, s, hn::Mul(v, c)), d, y + n + i);
  }
  for (; i < n; ++i) {
    const float s = direction * sines[i];
    y[i] = a[i] * cosines[i] - b[i] * s;
    y[n + i] = b[i] * cosines[i] + a[i] * s;
  }
}

void rope_rows(const RopeShape& s, const float* x, const float* cosines, const float* sines, float direction, float* y, int64_t begin,
               int64_t end) {
  const int64_t row = s.heads * 2 * s.pairs, rotated = s.rotated_heads * 2 * s.pairs;
  for (int64_t i = begin; i < end; ++i) {
    const float* c = cosines + i % s.length * s.pairs;
    const float* sn = sines + i % s.length * s.pairs;
    const float* from = x + i * row;
    float* to = y + i * row;
    for (int64_t h = 0; h < rotated; h += 2 * s.pairs) {
      rotate(from + h, from + h + s.pairs, c, sn, direction, to + h, s.pairs);
    }
    std::memcpy(to + rotated, from + rotated, static_cast<size_t>(row - rotated) * sizeof(float));
  }
}

}  // namespace
}  // namespace danlu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace danlu::kernels {
namespace {

HWY_EXPORT(rope_rows);

constexpr int64_t kGrain = 1 << 14;  // elements

}  // namespace

void rope_angles(const float* frequencies, const int64_t* positions, float* cosines, float* sines, int64_t length, int64_t pairs) {
  parallel_for(length, (int64_t{1} << 10) / std::max<int64_t>(pairs, 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const auto position = static_cast<float>(positions == nullptr ? t : positions[t]);
      for (int64_t i = 0; i < pairs; ++i) {
        const float angle = position * frequencies[i];
        cosines[t * pairs + i] = std::cos(angle);
        sines[t * pairs + i] = std::sin(angle);
      }
    }
  });
}

void rope(const RopeShape& shape, const float* x, const float* cosines, const float* sines, bool back, float* y) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(rope_rows);
  const int64_t row = shape.heads * 2 * shape.pairs;
  parallel_for(shape.rows, kGrain / std::max<int64_t>(row, 1) + 1, [&](int64_t begin, int64_t end) {
    kernel(shape, x, cosines, sines, back ? -1.0f : 1.0f, y, begin, end);
  });
}

}  // namespace danlu::kernels
#endif
