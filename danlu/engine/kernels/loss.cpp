#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "danlu/engine/kernels/loss.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include "danlu/base/threads.h"
#include "danlu/engine/kernels/elementwise.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/loss.h"
#include "danlu/engine/kernels/vector_map.inl.h"

HWY_BEFORE_NAMESPACE();
namespace danlu::kernels::HWY_NAMESPACE {
namespace {

void loss_range(PointwiseLoss f, const float* x, const float* t, float delta, float* loss, int64_t n) {
  switch (f) {
    case PointwiseLoss::bce_with_logits:
      return map(x, t, loss, n, [](F32 d, VecF v, VecF u) HWY_ATTR {
        const VecF one = hn::Set(d, 1.0f);
        const VecF soft = hn::Log(d, hn::Add(one, exp_below(d, hn::Neg(hn::Abs(v)))));  // log of a number in (1, 2]
        return hn::Add(hn::NegMulAdd(v, u, hn::Max(v, hn::Zero(d))), soft);
      });
    case PointwiseLoss::squared_hinge:
      return map(x, t, loss, n, [](F32 d, VecF v, VecF u) HWY_ATTR {
        const VecF r = hn::NegMulAdd(u, v, hn::Set(d, 1.0f));
        return hn::Mul(r, hn::IfThenElse(hn::Lt(r, hn::Zero(d)), hn::Zero(d), r));  // NaN stays NaN
      });
    case PointwiseLoss::squared:
      return map(x, t, loss, n, [](F32, VecF v, VecF u) HWY_ATTR {
        const VecF r = hn::Sub(v, u);
        return hn::Mul(r, r);
      });
    case PointwiseLoss::absolute:
      return map(x, t, loss, n, [](F32, VecF v, VecF u) HWY_ATTR { return hn::Abs(hn::Sub(v, u)); });
    case PointwiseLoss::huber:
      return map(x, t, loss, n, [delta](F32 d, VecF v, VecF u) HWY_ATTR {
        const VecF r = hn::Abs(hn::Sub(v, u)), half = hn::Set(d, 0.5f), limit = hn::Set(d, delta);
        const VecF inside = hn::Mul(half, hn::Mul(r, r));
        const VecF outside = hn::Mul(limit, hn::NegMulAdd(half, limit, r));
        return hn::IfThenElse(hn::Le(r, limit), inside, outside);
      });
  }
}

void derivative_range(PointwiseLoss f, const float* x, const float* t, float delta, float scale, float* dx, int64_t n) {
  switch (f) {
    case PointwiseLoss::bce_with_logits:
      return map(x, t, dx, n, [scale](F32 d, VecF v, VecF u) HWY_ATTR {
        return hn::Mul(hn::Set(d, scale), hn::Sub(sigmoid_of(d, v), u));
      });
    case PointwiseLoss::squared_hinge:
      return map(x, t, dx, n, [scale](F32 d, VecF v, VecF u) HWY_ATTR {
        const VecF r = hn::NegMulAdd(u, v, hn::Set(d, 1.0f));
        return hn::Mul(hn::Mul(hn::Set(d, -2 * scale), u), hn::IfThenElse(hn::Lt(r, hn::Zero(d)), hn::Zero(d), r));
      });
    case PointwiseLoss::squared:
      return map(x, t, dx, n, [scale](F32 d, VecF v, VecF u) HWY_ATTR {
        return hn::Mul(hn::Set(d, 2 * scale), hn::Sub(v, u));
      });
    case PointwiseLoss::absolute:
      return map(x, t, dx, n, [scale](F32 d, VecF v, VecF u) HWY_ATTR {
        const VecF r = hn::Sub(v, u), zero = hn::Zero(d), s = hn::Set(d, scale);
        return hn::IfThenElse(hn::Gt(r, zero), s, hn::IfThenElse(hn::Lt(r, zero), hn::Neg(s), hn::Mul(r, s)));
      });
    case PointwiseLoss::huber:
      return map(x, t, dx, n, [delta, scale](F32 d, VecF v, VecF u) HWY_ATTR {
        const VecF limit = hn::Set(d, delta);
        const VecF r = hn::Max(hn::Neg(limit), hn::Min(limit, hn::Sub(v, u)));
        return hn::Mul(hn::Set(d, scale), r);
      });
  }
}

void multiply_range(const float* a, const float* b, float* y, int64_t n) {
  map(a, b, y, n, [](F32, VecF u, VecF v) HWY_ATTR { return hn::Mul(u, v); });
}

}  // namespace
}  // namespace danlu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace danlu::kernels {
namespace {

HWY_EXPORT(loss_range);
HWY_EXPORT(derivative_range);
HWY_EXPORT(multiply_range);

constexpr int64_t kGrain = 1 << 14;

}  // namespace

void pointwise_loss(PointwiseLoss f, const float* x, const float* t, const float* weight, float delta, float* loss, int64_t n) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(loss_range);
  const auto multiply = HWY_DYNAMIC_DISPATCH(multiply_range);
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
    kernel(f, x + begin, t + begin, delta, loss + begin, end - begin);
    if (weight != nullptr) multiply(loss + begin, weight + begin, loss + begin, end - begin);
  });
}

void pointwise_loss_backward(PointwiseLoss f, const float* x, const float* t, const float* weight, float delta, float scale,
                             float* dx, int64_t n) {
  const auto kernel = HWY_DYNAMIC_DISPATCH(derivative_range);
  const auto multiply = HWY_DYNAMIC_DISPATCH(multiply_range);
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
    kernel(f, x + begin, t + begin, delta, scale, dx + begin, end - begin);
    if (weight != nullptr) multiply(dx + begin, weight + begin, dx + begin, end - begin);
  });
}

}  // namespace danlu::kernels
#endif
