#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "danlu/engine/kernels/elementwise.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include "danlu/base/threads.h"
#include "danlu/engine/kernels/elementwise.h"
#include "danlu/engine/kernels/gemm.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/vector_map.inl.h"

HWY_BEFORE_NAMESPACE();
namespace danlu::kernels::HWY_NAMESPACE {
namespace {

constexpr float kInvSqrt2 = 0.70710678118654752f;
constexpr float kInvSqrt2Pi = 0.39894228040143268f;
constexpr float kSqrt2OverPi = 0.79788456080286536f;
constexpr float kGeluCubic = 0.044715f;

// GELU by tanh (Hendrycks and Gimpel 2016, arXiv:1606.08415) is x (1 + tanh(u)) / 2 = x sigmoid(2 u): this is 2 u.
HWY_INLINE VecF gelu_inner(F32 d, VecF x) {
  const VecF cubic = hn::MulAdd(hn::Mul(hn::Set(d, kGeluCubic), hn::Mul(x, x)), x, x);
  return hn::Mul(hn::Set(d, 2 * kSqrt2OverPi), cubic);
}

void unary_range(Unary f, const float* x, float* y, int64_t n) {
  switch (f) {
    case Unary::neg: return map(x, y, n, [](F32, VecF v) HWY_ATTR { return hn::Neg(v); });
    case Unary::exp: return map(x, y, n, [](F32 d, VecF v) HWY_ATTR { return exp_of(d, v); });
    case Unary::log:
      return map(x, y, n, [](F32 d, VecF v) HWY_ATTR {
        const VecF zero = hn::Zero(d), infinity = hn::Set(d, HUGE_VALF);
        VecF r = hn::Log(d, v);
        r = hn::IfThenElse(hn::Eq(v, zero), hn::Neg(infinity), r);
        r = hn::IfThenElse(hn::Eq(v, infinity), infinity, r);
        return hn::IfThenElse(hn::Or(hn::Lt(v, zero), hn::IsNaN(v)), hn::Set(d, NAN), r);
      });
    case Unary::sqrt: return map(x, y, n, [](F32, VecF v) HWY_ATTR { return hn::Sqrt(v); });
    case Unary::square: return map(x, y, n, [](F32, VecF v) HWY_ATTR { return hn::Mul(v, v); });
    case Unary::abs: return map(x, y, n, [](F32, VecF v) HWY_ATTR { return hn::Abs(v); });
    case Unary::relu:
      // Not Max: a NaN must stay visible.
      return map(x, y, n, [](F32 d, VecF v) HWY_ATTR { return hn::IfThenZeroElse(hn::Lt(v, hn::Zero(d)), v); });
    case Unary::leaky_relu:
      return map(x, y, n, [](F32 d, VecF v) HWY_ATTR { return hn::IfThenElse(hn::Gt(v, hn::Zero(d)), v, hn::Mul(v, hn::Set(d, kLeakySlope))); });
    case Unary::sigmoid: return map(x, y, n, [](F32 d, VecF v) HWY_ATTR { return sigmoid_of(d, v); });
    case Unary::tanh: return map(x, y, n, [](F32 d, VecF v) HWY_ATTR { return tanh_of(d, v); });
    case Unary::gelu:
      return map(x, y, n, [](F32 d, VecF v) HWY_ATTR {
        const VecF half = hn::Mul(hn::Set(d, 0.5f), v);
        return hn::MulAdd(half, erf_of(d, hn::Mul(v, hn::Set(d, kInvSqrt2))), half);
      });
    case Unary::gelu_tanh:
      return map(x, y, n, [](F32 d, VecF v) HWY_ATTR { return hn::Mul(v, sigmoid_of(d, gelu_inner(d, v))); });
    case Unary::silu: return map(x, y, n, [](F32 d, VecF v) HWY_ATTR { return hn::Mul(v, sigmoid_of(d, v)); });
  }
}

void unary_backward_range(Unary f, const float* dy, const float* x, const float* y, float* dx, int64_t n) {
  switch (f) {
    case Unary::neg: return map(dy, dx, n, [](F32, VecF g) HWY_ATTR { return hn::Neg(g); });
    case Unary::exp: return map(dy, y, dx, n, [](F32, VecF g, VecF v) HWY_ATTR { return hn::Mul(g, v); });
    case Unary::log: return map(dy, x, dx, n, [](F32, VecF g, VecF v) HWY_ATTR { return hn::Div(g, v); });
    case Unary::sqrt:
      return map(dy, y, dx, n, [](F32 d, VecF g, VecF v) HWY_ATTR { return hn::Div(hn::Mul(hn::Set(d, 0.5f), g), v); });
    case Unary::square:
      return map(dy, x, dx, n, [](F32 d, VecF g, VecF v) HWY_ATTR { return hn::Mul(hn::Mul(hn::Set(d, 2.0f), g), v); });
    case Unary::abs:
      return map(dy, x, dx, n, [](F32 d, VecF g, VecF v) HWY_ATTR {
        const VecF signed_g = hn::IfThenElse(hn::Lt(v, hn::Zero(d)), hn::Neg(g), g);
        return hn::IfThenZeroElse(hn::Eq(v, hn::Zero(d)), signed_g);
      });
    case Unary::relu:
      return map(dy, y, dx, n, [](F32 d, VecF g, VecF v) HWY_ATTR { return hn::IfThenElseZero(hn::Gt(v, hn::Zero(d)), g); });
    case Unary::leaky_relu:
      return map(dy, y, dx, n, [](F32 d, VecF g, VecF v) HWY_ATTR {
        return hn::IfThenElse(hn::Gt(v, hn::Zero(d)), g, hn::Mul(g, hn::Set(d, kLeakySlope)));
      });
    case Unary::sigmoid:
      return map(dy, y, dx, n, [](F32, VecF g, VecF v) HWY_ATTR { return hn::Mul(g, hn::NegMulAdd(v, v, v)); });
    case Unary::tanh:
      return map(dy, y, dx, n, [](F32 d, VecF g, VecF v) HWY_ATTR {
        return hn::Mul(g, hn::NegMulAdd(v, v, hn::Set(d, 1.0f)));
      });
    case Unary::gelu:
      return map(dy, x, dx, n, [](F32 d, VecF g, VecF v) HWY_ATTR {
        // Phi(v) + v * phi(v)
        const VecF half = hn::Set(d, 0.5f);
        const VecF cdf = hn::MulAdd(half, erf_of(d, hn::Mul(v, hn::Set(d, kInvSqrt2))), half);
        const VecF density = hn::Mul(hn::Set(d, kInvSqrt2Pi), exp_below(d, hn::Neg(hn::Mul(half, hn::Mul(v, v)))));
        return hn::Mul(g, hn::MulAdd(v, density, cdf));
      });
    case Unary::gelu_tanh:
      return map(dy, x, dx, n, [](F32 d, VecF g, VecF v) HWY_ATTR {
        // s + v s' with s = sigmoid(2 u), s' = s (1 - s) (2 u)'
        const VecF one = hn::Set(d, 1.0f), s = sigmoid_of(d, gelu_inner(d, v));
        const VecF slope = hn::Mul(hn::Set(d, 2 * kSqrt2OverPi), hn::MulAdd(hn::Set(d, 3.0f * kGeluCubic), hn::Mul(v, v), one));
        return hn::Mul(g, hn::MulAdd(hn::Mul(v, slope), hn::NegMulAdd(s, s, s), s));
      });
    case Unary::silu:
      return map(dy, x, dx, n, [](F32 d, VecF g, VecF v) HWY_ATTR {
        const VecF one = hn::Set(d, 1.0f), s = sigmoid_of(d, v);
        return hn::Mul(g, hn::Mul(s, hn::MulAdd(v, hn::Sub(one, s), one)));
      });
  }
}

template <class Function>
HWY_INLINE void apply_row(const float* a, int64_t a_stride, const float* b, int64_t b_stride, float* y, int64_t n,
                          const Function& f) {
  if (a_stride == 1 && b_stride == 1) return map(a, b, y, n, f);
  const F32 d0;
  if (a_stride == 0) {
    const VecF constant = hn::Set(d0, *a);
    if (b_stride == 0) return map(a, y, 1, [&](F32 d, VecF) HWY_ATTR { return f(d, constant, hn::Set(d, *b)); });
    return map(b, y, n, [&](F32 d, VecF v) HWY_ATTR { return f(d, constant, v); });
  }
  const VecF constant = hn::Set(d0, *b);
  return map(a, y, n, [&](F32 d, VecF v) HWY_ATTR { return f(d, v, constant); });
}

void binary_row(Binary f, const float* a, int64_t a_stride, const float* b, int64_t b_stride, float* y, int64_t n) {
  switch (f) {
    case Binary::add:
      return apply_row(a, a_stride, b, b_stride, y, n, [](F32, VecF u, VecF v) HWY_ATTR { return hn::Add(u, v); });
    case Binary::sub:
      return apply_row(a, a_stride, b, b_stride, y, n, [](F32, VecF u, VecF v) HWY_ATTR { return hn::Sub(u, v); });
    case Binary::mul:
      return apply_row(a, a_stride, b, b_stride, y, n, [](F32, VecF u, VecF v) HWY_ATTR { return hn::Mul(u, v); });
    case Binary::div:
      return apply_row(a, a_stride, b, b_stride, y, n, [](F32, VecF u, VecF v) HWY_ATTR { return hn::Div(u, v); });
  }
}

void affine_range(const float* x, float scale, float shift, float* y, int64_t n) {
  map(x, y, n, [=](F32 d, VecF v) HWY_ATTR { return hn::MulAdd(v, hn::Set(d, scale), hn::Set(d, shift)); });
}

void clamp_range(const float* x, float low, float high, float* y, int64_t n) {
  map(x, y, n, [=](F32 d, VecF v) HWY_ATTR {
    const VecF l = hn::Set(d, low), h = hn::Set(d, high);
    return hn::IfThenElse(hn::Lt(v, l), l, hn::IfThenElse(hn::Gt(v, h), h, v));  // NaN stays
  });
}

void clamp_backward_range(const float* dy, const float* x, float low, float high, float* dx, int64_t n) {
  map(dy, x, dx, n, [=](F32 d, VecF g, VecF v) HWY_ATTR {
    return hn::IfThenElseZero(hn::And(hn::Gt(v, hn::Set(d, low)), hn::Lt(v, hn::Set(d, high))), g);
  });
}

float sum_range(const float* x, int64_t n) {
  return map_sum(x, n, [](F32, VecF v) HWY_ATTR { return v; });
}

}  // namespace
}  // namespace danlu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace danlu::kernels {
namespace {

HWY_EXPORT(unary_range);
HWY_EXPORT(unary_backward_range);
HWY_EXPORT(binary_row);
HWY_EXPORT(affine_range);
HWY_EXPORT(clamp_range);
HWY_EXPORT(clamp_backward_range);
HWY_EXPORT(sum_range);

constexpr int64_t kGrain = 1 << 15;  // elements below which a second thread costs more than it gains

// Calls row(a offset, b offset, result offset) for every innermost row in [begin, end).
template <class Row>
void for_each_row(const Broadcast& plan, int64_t begin, int64_t end, const Row& row) {
  const int outer = plan.loops - 1;
  const int64_t length = plan.sizes[static_cast<size_t>(outer)];
  for (int64_t r = begin; r < end; ++r) {
    int64_t rest = r, a = 0, b = 0;
    for (int loop = outer - 1; loop >= 0; --loop) {
      const auto l = static_cast<size_t>(loop);
      const int64_t index = rest % plan.sizes[l];
      rest /= plan.sizes[l];
      a += index * plan.a_strides[l];
      b += index * plan.b_strides[l];
    }
    row(a, b, r * length);
  }
}

}  // namespace

void unary(Unary f, const float* x, float* y, int64_t n) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(unary_range);
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) { kernel(f, x + begin, y + begin, end - begin); });
}

Uses unary_backward_uses(Unary f) {
  switch (f) {
    case Unary::neg: return Uses::neither;
    case Unary::exp:
    case Unary::sqrt:
    case Unary::relu:
    case Unary::leaky_relu:
    case Unary::sigmoid:
    case Unary::tanh: return Uses::output;
    default: return Uses::input;
  }
}

void unary_backward(Unary f, const float* dy, const float* x, const float* y, float* dx, int64_t n) {
  const auto kernel = HWY_DYNAMIC_DISPATCH(unary_backward_range);
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
    const auto at = [&](const float* p) { return p == nullptr ? nullptr : p + begin; };
    kernel(f, dy + begin, at(x), at(y), dx + begin, end - begin);
  });
}

void binary(Binary f, const float* a, const float* b, float* y, const Broadcast& plan) {
  if (plan.numel == 0) return;
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(binary_row);
  const auto last = static_cast<size_t>(plan.loops - 1);
  const int64_t length = plan.sizes[last], a_stride = plan.a_strides[last], b_stride = plan.b_strides[last];
  if (plan.loops == 1) {
    parallel_for(length, kGrain, [&](int64_t begin, int64_t end) {
      kernel(f, a + begin * a_stride, a_stride, b + begin * b_stride, b_stride, y + begin, end - begin);
    });
    return;
  }
  const int64_t rows = plan.numel / length;
  parallel_for(rows, kGrain / length + 1, [&](int64_t begin, int64_t end) {
    for_each_row(plan, begin, end, [&](int64_t a_offset, int64_t b_offset, int64_t offset) {
      kernel(f, a + a_offset, a_stride, b + b_offset, b_stride, y + offset, length);
    });
  });
}

void reduce_broadcast(const float* x, float* out, int64_t out_numel, const Broadcast& plan, Operand operand) {
  for (int64_t i = 0; i < out_numel; ++i) out[i] = 0;
  if (plan.numel == 0) return;
  const auto sum = HWY_DYNAMIC_DISPATCH(sum_range);
  const auto last = static_cast<size_t>(plan.loops - 1);
  const int64_t length = plan.sizes[last];
  const int64_t stride = operand == Operand::a ? plan.a_strides[last] : plan.b_strides[last];
  // Serial over the rows: several of them may end in the same place, and the order of the sum stays fixed.
  for_each_row(plan, 0, plan.numel / length, [&](int64_t a_offset, int64_t b_offset, int64_t offset) {
    float* target = out + (operand == Operand::a ? a_offset : b_offset);
    if (stride == 0) {
      *target += sum(x + offset, length);
    } else {
      add(target, target, x + offset, length);
    }
  });
}

void add(float* y, const float* a, const float* b, int64_t n) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(binary_row);
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
    kernel(Binary::add, a + begin, 1, b + begin, 1, y + begin, end - begin);
  });
}

void affine(const float* x, float scale, float shift, float* y, int64_t n) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(affine_range);
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) { kernel(x + begin, scale, shift, y + begin, end - begin); });
}

void clamp(const float* x, float low, float high, float* y, int64_t n) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(clamp_range);
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) { kernel(x + begin, low, high, y + begin, end - begin); });
}

void clamp_backward(const float* dy, const float* x, float low, float high, float* dx, int64_t n) {
  const auto kernel = HWY_DYNAMIC_DISPATCH(clamp_backward_range);
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
    kernel(dy + begin, x + begin, low, high, dx + begin, end - begin);
  });
}

}  // namespace danlu::kernels
#endif
