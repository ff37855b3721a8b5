#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "danlu/engine/kernels/softmax.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include <algorithm>
#include <cmath>

#include "danlu/base/threads.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/softmax.h"
#include "danlu/engine/kernels/vector_map.inl.h"

HWY_BEFORE_NAMESPACE();
namespace danlu::kernels::HWY_NAMESPACE {
namespace {

// Sum of exp(x - m).
HWY_INLINE float sum_exp(const float* x, float m, int64_t n) {
  return map_sum(x, n, [m](F32 d, VecF v) HWY_ATTR { return exp_below(d, hn::Sub(v, hn::Set(d, m))); });
}

// x = exp(x - m); their sum, in four running vectors.
HWY_INLINE float exp_in_place(float* x, float m, int64_t n) {
  const F32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const VecF shift = hn::Set(d, m);
  VecF s0 = hn::Zero(d), s1 = hn::Zero(d), s2 = hn::Zero(d), s3 = hn::Zero(d);
  const auto step = [&](int64_t i, VecF sum) HWY_ATTR {
    const VecF e = exp_below(d, hn::Sub(hn::LoadU(d, x + i), shift));
    hn::StoreU(e, d, x + i);
    return hn::Add(sum, e);
  };
  int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    s0 = step(i, s0);
    s1 = step(i + lanes, s1);
    s2 = step(i + 2 * lanes, s2);
    s3 = step(i + 3 * lanes, s3);
  }
  for (; i + lanes <= n; i += lanes) s0 = step(i, s0);
  if (i < n) {
    const VecF e = exp_below(d, hn::Sub(load_tail(d, x + i, n - i), shift));
    store_tail(e, d, x + i, n - i);
    s1 = hn::Add(s1, hn::IfThenElseZero(hn::FirstN(d, static_cast<size_t>(n - i)), e));
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3))));
}

HWY_INLINE float sum_of(const float* x, int64_t n) {
  return map_sum(x, n, [](F32, VecF v) HWY_ATTR { return v; });
}

HWY_INLINE float dot(const float* a, const float* b, int64_t n) {
  return map_sum(a, b, n, [](F32, VecF u, VecF v) HWY_ATTR { return hn::Mul(u, v); });
}

HWY_INLINE float log_sum_exp_of(const float* x, int64_t n) {
  const float m = max_of(x, n);
  return m + std::log(sum_exp(x, m, n));
}

void softmax_rows(const float* x, float* y, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i, x += n, y += n) {
    const float m = max_of(x, n);
    map(x, y, n, [m](F32 d, VecF v) HWY_ATTR { return exp_below(d, hn::Sub(v, hn::Set(d, m))); });
    const float scale = 1.0f / sum_of(y, n);
    map(y, y, n, [scale](F32 d, VecF v) HWY_ATTR { return hn::Mul(v, hn::Set(d, scale)); });
  }
}

void softmax_backward_rows(const float* dy, const float* y, float* dx, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i, dy += n, y += n, dx += n) {
    const float s = dot(dy, y, n);
    map(dy, y, dx, n, [s](F32 d, VecF g, VecF v) HWY_ATTR { return hn::Mul(v, hn::Sub(g, hn::Set(d, s))); });
  }
}

void log_softmax_rows(const float* x, float* y, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i, x += n, y += n) {
    // Two subtractions, not one of their sum: with large logits the sum would lose the small part.
    const float m = max_of(x, n), l = std::log(sum_exp(x, m, n));
    map(x, y, n, [m, l](F32 d, VecF v) HWY_ATTR { return hn::Sub(hn::Sub(v, hn::Set(d, m)), hn::Set(d, l)); });
  }
}

void log_softmax_backward_rows(const float* dy, const float* y, float* dx, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i, dy += n, y += n, dx += n) {
    const float s = sum_of(dy, n);
    map(dy, y, dx, n, [s](F32 d, VecF g, VecF v) HWY_ATTR { return hn::NegMulAdd(exp_below(d, v), hn::Set(d, s), g); });
  }
}

void cross_entropy_rows(const float* x, const int64_t* target, int64_t ignore, float smoothing, float* loss, float* lse,
                        int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i, x += n) {
    lse[i] = log_sum_exp_of(x, n);
    if (target[i] == ignore) {
      loss[i] = 0;
      continue;
    }
    // -sum q_j (x_j - lse) = lse - (1 - s) x_target - s mean(x), as sum q_j = 1
    loss[i] = (1 - smoothing) * (lse[i] - x[target[i]]);
    if (smoothing > 0) loss[i] += smoothing * (lse[i] - sum_of(x, n) / static_cast<float>(n));
  }
}

void cross_entropy_backward_rows(const float* x, const int64_t* target, int64_t ignore, float smoothing, const float* lse,
                                 float scale, float* dx, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i, x += n, dx += n) {
    if (target[i] == ignore) {
      std::fill(dx, dx + n, 0.0f);
      continue;
    }
    const float l = lse[i], uniform = smoothing / static_cast<float>(n);
    map(x, dx, n, [=](F32 d, VecF v) HWY_ATTR {
      return hn::Mul(hn::Sub(exp_below(d, hn::Sub(v, hn::Set(d, l))), hn::Set(d, uniform)), hn::Set(d, scale));
    });
    dx[target[i]] -= scale * (1 - smoothing);
  }
}

void cross_entropy_in_place_rows(float* x, const int64_t* target, int64_t ignore, float scale, float* loss, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i, x += n) {
    if (target[i] == ignore) {
      loss[i] = 0;
      std::fill(x, x + n, 0.0f);
      continue;
    }
    const float m = max_of(x, n), at_target = x[target[i]];
    const float sum = exp_in_place(x, m, n);
    loss[i] = std::log(sum) - (at_target - m);
    const float factor = scale / sum;
    map(x, x, n, [factor](F32 d, VecF v) HWY_ATTR { return hn::Mul(v, hn::Set(d, factor)); });
    x[target[i]] -= scale;
  }
}

void cross_entropy_soft_rows(const float* x, const float* q, float smoothing, float* loss, float* lse, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i, x += n, q += n) {
    const float l = log_sum_exp_of(x, n);
    lse[i] = l;
    const float hard = map_sum(x, q, n, [l](F32 d, VecF v, VecF w) HWY_ATTR { return hn::Mul(w, hn::Sub(hn::Set(d, l), v)); });
    loss[i] = (1 - smoothing) * hard;
    if (smoothing > 0) loss[i] += smoothing * (l - sum_of(x, n) / static_cast<float>(n));
  }
}

void cross_entropy_soft_backward_rows(const float* x, const float* q, float smoothing, const float* lse, float scale, float* dx,
                                      int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i, x += n, q += n, dx += n) {
    const float l = lse[i], uniform = smoothing / static_cast<float>(n), hard = 1 - smoothing;
    const float total = hard * sum_of(q, n) + smoothing;  // of the target: multiplies the softmax
    map(x, q, dx, n, [=](F32 d, VecF v, VecF w) HWY_ATTR {
      const VecF p = hn::Mul(hn::Set(d, total), exp_below(d, hn::Sub(v, hn::Set(d, l))));
      const VecF goal = hn::MulAdd(w, hn::Set(d, hard), hn::Set(d, uniform));
      return hn::Mul(hn::Sub(p, goal), hn::Set(d, scale));
    });
  }
}

}  // namespace
}  // namespace danlu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace danlu::kernels {
namespace {

HWY_EXPORT(softmax_rows);
HWY_EXPORT(softmax_backward_rows);
HWY_EXPORT(log_softmax_rows);
HWY_EXPORT(log_softmax_backward_rows);
HWY_EXPORT(cross_entropy_rows);
HWY_EXPORT(cross_entropy_backward_rows);
HWY_EXPORT(cross_entropy_in_place_rows);
HWY_EXPORT(cross_entropy_soft_rows);
HWY_EXPORT(cross_entropy_soft_backward_rows);

// Exponentials are dear, so that fewer elements than elsewhere are worth a second thread.
int64_t grain(int64_t n) { return (int64_t{1} << 12) / std::max<int64_t>(n, 1) + 1; }

}  // namespace

void softmax(const float* x, float* y, int64_t rows, int64_t n) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(softmax_rows);
  parallel_for(rows, grain(n), [&](int64_t b, int64_t e) { kernel(x + b * n, y + b * n, e - b, n); });
}

void softmax_backward(const float* dy, const float* y, float* dx, int64_t rows, int64_t n) {
  const auto kernel = HWY_DYNAMIC_DISPATCH(softmax_backward_rows);
  parallel_for(rows, grain(n), [&](int64_t b, int64_t e) { kernel(dy + b * n, y + b * n, dx + b * n, e - b, n); });
}

void log_softmax(const float* x, float* y, int64_t rows, int64_t n) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(log_softmax_rows);
  parallel_for(rows, grain(n), [&](int64_t b, int64_t e) { kernel(x + b * n, y + b * n, e - b, n); });
}

void log_softmax_backward(const float* dy, const float* y, float* dx, int64_t rows, int64_t n) {
  const auto kernel = HWY_DYNAMIC_DISPATCH(log_softmax_backward_rows);
  parallel_for(rows, grain(n), [&](int64_t b, int64_t e) { kernel(dy + b * n, y + b * n, dx + b * n, e - b, n); });
}

void cross_entropy(const float* x, const int64_t* target, int64_t ignore, float smoothing, float* loss, float* log_sum_exp,
                   int64_t rows, int64_t n) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(cross_entropy_rows);
  parallel_for(rows, grain(n), [&](int64_t b, int64_t e) {
    kernel(x + b * n, target + b, ignore, smoothing, loss + b, log_sum_exp + b, e - b, n);
  });
}

void cross_entropy_backward(const float* x, const int64_t* target, int64_t ignore, float smoothing, const float* log_sum_exp,
                            float scale, float* dx, int64_t rows, int64_t n) {
  const auto kernel = HWY_DYNAMIC_DISPATCH(cross_entropy_backward_rows);
  parallel_for(rows, grain(n), [&](int64_t b, int64_t e) {
    kernel(x + b * n, target + b, ignore, smoothing, log_sum_exp + b, scale, dx + b * n, e - b, n);
  });
}

void cross_entropy_in_place(float* x, const int64_t* target, int64_t ignore, float scale, float* loss, int64_t rows, int64_t n) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(cross_entropy_in_place_rows);
  parallel_for(rows, grain(n), [&](int64_t b, int64_t e) { kernel(x + b * n, target + b, ignore, scale, loss + b, e - b, n); });
}

void cross_entropy_soft(const float* x, const float* q, float smoothing, float* loss, float* log_sum_exp, int64_t rows, int64_t n) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(cross_entropy_soft_rows);
  parallel_for(rows, grain(n), [&](int64_t b, int64_t e) {
    kernel(x + b * n, q + b * n, smoothing, loss + b, log_sum_exp + b, e - b, n);
  });
}

void cross_entropy_soft_backward(const float* x, const float* q, float smoothing, const float* log_sum_exp, float scale, float* dx,
                                 int64_t rows, int64_t n) {
  const auto kernel = HWY_DYNAMIC_DISPATCH(cross_entropy_soft_backward_rows);
  parallel_for(rows, grain(n), [&](int64_t b, int64_t e) {
    kernel(x + b * n, q + b * n, smoothing, log_sum_exp + b, scale, dx + b * n, e - b, n);
  });
}

}  // namespace danlu::kernels
#endif
