#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "danlu/engine/kernels/optimizer.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include <cmath>

#include "danlu/base/threads.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/optimizer.h"
#include "danlu/engine/kernels/vector_map.inl.h"

HWY_BEFORE_NAMESPACE();
namespace danlu::kernels::HWY_NAMESPACE {
namespace {

// Calls f(d, i, count) for whole vectors (count = lanes) and once for the rest.
template <class Function>
HWY_INLINE void for_vectors(int64_t n, const Function& f) {
  const F32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) f(d, i, lanes);
  if (i < n) f(d, i, n - i);
}

HWY_INLINE VecF load(F32 d, const float* p, int64_t count) {
  return count == static_cast<int64_t>(hn::Lanes(d)) ? hn::LoadU(d, p) : load_tail(d, p, count);
}

HWY_INLINE void store(VecF v, F32 d, float* p, int64_t count) {
  if (count == static_cast<int64_t>(hn::Lanes(d))) {
    hn::StoreU(v, d, p);
  } else {
    store_tail(v, d, p, count);
  }
}

// Steps are taken by value: what they say may not be changed by what is written, and stays in registers.
void sgd_range(const SgdStep s, float* p, const float* g, float* m, int64_t n) {
  // Of a large table a batch touches few rows: where the gradient is 0 nothing else is read, nor written.
  const bool skips = m == nullptr && s.l2 == 0;
  for_vectors(n, [&](F32 d, int64_t i, int64_t count) HWY_ATTR {
    const VecF gradient = load(d, g + i, count);
    if (skips && hn::AllTrue(d, hn::Eq(gradient, hn::Zero(d)))) return;
    const VecF w = load(d, p + i, count);
    VecF grad = hn::MulAdd(w, hn::Set(d, s.l2), hn::Mul(gradient, hn::Set(d, s.grad_scale)));
    if (m != nullptr) {
      const VecF momentum = hn::Set(d, s.momentum);
      const VecF moment = hn::MulAdd(momentum, load(d, m + i, count), grad);
      store(moment, d, m + i, count);
      grad = s.nesterov ? hn::MulAdd(momentum, moment, grad) : moment;
    }
    store(hn::NegMulAdd(hn::Set(d, s.lr), grad, w), d, p + i, count);
  });
}

// inverse1 and inverse2 are 1 / (1 - beta^t).
void adam_range(const AdamStep s, float inverse1, float inverse2, float* p, const float* g, float* m, float* v, int64_t n) {
  for_vectors(n, [&](F32 d, int64_t i, int64_t count) HWY_ATTR {
    VecF w = load(d, p + i, count);
    const VecF grad = hn::MulAdd(w, hn::Set(d, s.l2), hn::Mul(load(d, g + i, count), hn::Set(d, s.grad_scale)));
    const VecF old_m = load(d, m + i, count), old_v = load(d, v + i, count);
    const VecF new_m = hn::MulAdd(hn::Set(d, 1.0f - s.beta1), hn::Sub(grad, old_m), old_m);
    const VecF new_v = hn::MulAdd(hn::Set(d, s.beta2), old_v, hn::Mul(hn::Set(d, 1.0f - s.beta2), hn::Mul(grad, grad)));
    store(new_m, d, m + i, count);
    store(new_v, d, v + i, count);
    const VecF root = hn::Add(hn::Sqrt(hn::Mul(new_v, hn::Set(d, inverse2))), hn::Set(d, s.eps));
    const VecF step = hn::Div(hn::Mul(new_m, hn::Set(d, s.lr * inverse1)), root);
    w = hn::Mul(w, hn::Set(d, 1.0f - s.lr * s.decay));
    store(hn::Sub(w, step), d, p + i, count);
  });
}

void adagrad_range(const AdagradStep s, float* p, const float* g, float* sum, int64_t n) {
  for_vectors(n, [&](F32 d, int64_t i, int64_t count) HWY_ATTR {
    const VecF w = load(d, p + i, count);
    const VecF grad = hn::MulAdd(w, hn::Set(d, s.l2), hn::Mul(load(d, g + i, count), hn::Set(d, s.grad_scale)));
    const VecF total = hn::MulAdd(grad, grad, load(d, sum + i, count));
    store(total, d, sum + i, count);
    const VecF step = hn::Div(hn::Mul(grad, hn::Set(d, s.lr)), hn::Add(hn::Sqrt(total), hn::Set(d, s.eps)));
    store(hn::Sub(w, step), d, p + i, count);
  });
}

void rmsprop_range(const RmspropStep s, float* p, const float* g, float* square, float* m, int64_t n) {
  for_vectors(n, [&](F32 d, int64_t i, int64_t count) HWY_ATTR {
    const VecF w = load(d, p + i, count);
    const VecF grad = hn::MulAdd(w, hn::Set(d, s.l2), hn::Mul(load(d, g + i, count), hn::Set(d, s.grad_scale)));
    const VecF average = hn::MulAdd(hn::Set(d, s.alpha), load(d, square + i, count),
                                    hn::Mul(hn::Set(d, 1.0f - s.alpha), hn::Mul(grad, grad)));
    store(average, d, square + i, count);
    VecF step = hn::Div(grad, hn::Add(hn::Sqrt(average), hn::Set(d, s.eps)));
    if (m != nullptr) {
      step = hn::MulAdd(hn::Set(d, s.momentum), load(d, m + i, count), step);
      store(step, d, m + i, count);
    }
    store(hn::NegMulAdd(hn::Set(d, s.lr), step, w), d, p + i, count);
  });
}

}  // namespace
}  // namespace danlu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace danlu::kernels {
namespace {

HWY_EXPORT(sgd_range);
HWY_EXPORT(adam_range);
HWY_EXPORT(adagrad_range);
HWY_EXPORT(rmsprop_range);

constexpr int64_t kGrain = 1 << 14;  // elements

}  // namespace

void sgd(const SgdStep& step, float* p, const float* g, float* m, int64_t n) {
  active_isa();
  HWY_DYNAMIC_DISPATCH(sgd_range)(step, p, g, m, n);
}

void adam(const AdamStep& step, float* p, const float* g, float* m, float* v, int64_t n) {
  active_isa();
  const double t = static_cast<double>(step.t);
  const auto inverse1 = static_cast<float>(1.0 / (1.0 - std::pow(static_cast<double>(step.beta1), t)));
  const auto inverse2 = static_cast<float>(1.0 / (1.0 - std::pow(static_cast<double>(step.beta2), t)));
  HWY_DYNAMIC_DISPATCH(adam_range)(step, inverse1, inverse2, p, g, m, v, n);
}

void adagrad(const AdagradStep& step, float* p, const float* g, float* s, int64_t n) {
  active_isa();
  HWY_DYNAMIC_DISPATCH(adagrad_range)(step, p, g, s, n);
}

void rmsprop(const RmspropStep& step, float* p, const float* g, float* s, float* m, int64_t n) {
  active_isa();
  HWY_DYNAMIC_DISPATCH(rmsprop_range)(step, p, g, s, m, n);
}

void add_l1_gradient(float strength, const float* p, float* g, int64_t n) {
  parallel_for(n, kGrain, [&](int64_t b, int64_t e) {
    for (int64_t i = b; i < e; ++i) g[i] += p[i] > 0 ? strength : p[i] < 0 ? -strength : 0.0f;
  });
}

}  // namespace danlu::kernels
#endif
