#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "danlu/engine/kernels/swiglu.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include <algorithm>

#include "danlu/base/threads.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/swiglu.h"
#include "danlu/engine/kernels/vector_map.inl.h"

HWY_BEFORE_NAMESPACE();
namespace danlu::kernels::HWY_NAMESPACE {
namespace {

void swiglu_rows(const float* x, float* y, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i, x += 2 * n, y += n) {
    map(x, x + n, y, n, [](F32 d, VecF gate, VecF up) HWY_ATTR { return hn::Mul(hn::Mul(gate, sigmoid_of(d, gate)), up); });
  }
}

// d silu = s (1 + gate (1 - s)), s = sigmoid(gate)
HWY_INLINE void gradients(F32 d, VecF dy, VecF gate, VecF up, VecF& dgate, VecF& dup) {
  const VecF one = hn::Set(d, 1.0f), s = sigmoid_of(d, gate), dy_s = hn::Mul(dy, s);
  dup = hn::Mul(dy_s, gate);
  dgate = hn::Mul(hn::Mul(dy_s, up), hn::MulAdd(gate, hn::Sub(one, s), one));
}

void swiglu_backward_rows(const float* dy, const float* x, float* dx, int64_t rows, int64_t n) {
  const F32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  VecF dgate, dup;
  for (int64_t i = 0; i < rows; ++i, dy += n, x += 2 * n, dx += 2 * n) {
    int64_t j = 0;
    for (; j + lanes <= n; j += lanes) {
      gradients(d, hn::LoadU(d, dy + j), hn::LoadU(d, x + j), hn::LoadU(d, x + n + j), dgate, dup);
      hn::StoreU(dgate, d, dx + j);
      hn::StoreU(dup, d, dx + n + j);
    }
    if (j < n) {
      gradients(d, load_tail(d, dy + j, n - j), load_tail(d, x + j, n - j), load_tail(d, x + n + j, n - j), dgate, dup);
      store_tail(dgate, d, dx + j, n - j);
      store_tail(dup, d, dx + n + j, n - j);
    }
  }
}

}  // namespace
}  // namespace danlu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace danlu::kernels {
namespace {

HWY_EXPORT(swiglu_rows);
HWY_EXPORT(swiglu_backward_rows);

int64_t grain(int64_t n) { return (int64_t{1} << 13) / std::max<int64_t>(n, 1) + 1; }  // rows

}  // namespace

void swiglu(const float* x, float* y, int64_t rows, int64_t n) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(swiglu_rows);
  parallel_for(rows, grain(n), [&](int64_t b, int64_t e) { kernel(x + 2 * b * n, y + b * n, e - b, n); });
}

void swiglu_backward(const float* dy, const float* x, float* dx, int64_t rows, int64_t n) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(swiglu_backward_rows);
  parallel_for(rows, grain(n), [&](int64_t b, int64_t e) { kernel(dy + b * n, x + 2 * b * n, dx + 2 * b * n, e - b, n); });
}

}  // namespace danlu::kernels
#endif
