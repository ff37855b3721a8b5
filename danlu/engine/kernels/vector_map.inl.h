// Loops over arrays with Highway vectors, tails included. Compiled once for each instruction set: include it inside a file
// that is itself included by hwy/foreach_target.h, after hwy/highway.h.

#if defined(DANLU_VECTOR_MAP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef DANLU_VECTOR_MAP_INL_H_
#undef DANLU_VECTOR_MAP_INL_H_
#else
#define DANLU_VECTOR_MAP_INL_H_
#endif

#include <cstdint>
#include <cstring>

#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace danlu::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using F32 = hn::ScalableTag<float>;
using VecF = hn::Vec<F32>;

// The first `count` lanes from memory (count < lanes), the rest zero; nothing beyond them is read. Instruction sets with masks read
// and write by a mask, the others by way of the stack.
HWY_INLINE VecF load_tail(F32 d, const float* p, int64_t count) {
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
  return hn::MaskedLoad(hn::FirstN(d, static_cast<size_t>(count)), d, p);
#else
  HWY_ALIGN float lanes[HWY_MAX_BYTES / sizeof(float)] = {};
  std::memcpy(lanes, p, static_cast<size_t>(count) * sizeof(float));
  return hn::Load(d, lanes);
#endif
}

HWY_INLINE void store_tail(VecF v, F32 d, float* p, int64_t count) {
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
  hn::BlendedStore(v, hn::FirstN(d, static_cast<size_t>(count)), d, p);
#else
  HWY_ALIGN float lanes[HWY_MAX_BYTES / sizeof(float)];
  hn::Store(v, d, lanes);
  std::memcpy(p, lanes, static_cast<size_t>(count) * sizeof(float));
#endif
}

// y[i] = f(d, x[i]). y may be x.
template <class Function>
HWY_INLINE void map(const float* x, float* y, int64_t n, const Function& f) {
  const F32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(f(d, hn::LoadU(d, x + i)), d, y + i);
  if (i < n) store_tail(f(d, load_tail(d, x + i, n - i)), d, y + i, n - i);
}

// y[i] = f(d, a[i], b[i]). y may be a or b.
template <class Function>
HWY_INLINE void map(const float* a, const float* b, float* y, int64_t n, const Function& f) {
  const F32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(f(d, hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, y + i);
  if (i < n) store_tail(f(d, load_tail(d, a + i, n - i), load_tail(d, b + i, n - i)), d, y + i, n - i);
}

// y[i] = f(d, a[i], b[i], c[i]).
template <class Function>
HWY_INLINE void map(const float* a, const float* b, const float* c, float* y, int64_t n, const Function& f) {
  const F32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    hn::StoreU(f(d, hn::LoadU(d, a + i), hn::LoadU(d, b + i), hn::LoadU(d, c + i)), d, y + i);
  }
  if (i < n) {
    const int64_t rest = n - i;
    store_tail(f(d, load_tail(d, a + i, rest), load_tail(d, b + i, rest), load_tail(d, c + i, rest)), d, y + i, rest);
  }
}

// Sum of f(d, x[i]) over i, in eight running vectors that are added in a fixed order. f(d, 0) need not be 0.
template <class Function>
HWY_INLINE float map_sum(const float* x, int64_t n, const Function& f) {
  const F32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  VecF s0 = hn::Zero(d), s1 = hn::Zero(d), s2 = hn::Zero(d), s3 = hn::Zero(d);
  int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    s0 = hn::Add(s0, f(d, hn::LoadU(d, x + i)));
    s1 = hn::Add(s1, f(d, hn::LoadU(d, x + i + lanes)));
    s2 = hn::Add(s2, f(d, hn::LoadU(d, x + i + 2 * lanes)));
    s3 = hn::Add(s3, f(d, hn::LoadU(d, x + i + 3 * lanes)));
  }
  for (; i + lanes <= n; i += lanes) s0 = hn::Add(s0, f(d, hn::LoadU(d, x + i)));
  if (i < n) {
    const VecF v = f(d, load_tail(d, x + i, n - i));
    s1 = hn::Add(s1, hn::IfThenElseZero(hn::FirstN(d, static_cast<size_t>(n - i)), v));
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3))));
}

// Sum of f(d, a[i], b[i]); f(d, 0, 0) must be 0.
template <class Function>
HWY_INLINE float map_sum(const float* a, const float* b, int64_t n, const Function& f) {
  const F32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  VecF s0 = hn::Zero(d), s1 = hn::Zero(d);
  int64_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    s0 = hn::Add(s0, f(d, hn::LoadU(d, a + i), hn::LoadU(d, b + i)));
    s1 = hn::Add(s1, f(d, hn::LoadU(d, a + i + lanes), hn::LoadU(d, b + i + lanes)));
  }
  for (; i + lanes <= n; i += lanes) s0 = hn::Add(s0, f(d, hn::LoadU(d, a + i), hn::LoadU(d, b + i)));
  if (i < n) s1 = hn::Add(s1, f(d, load_tail(d, a + i, n - i), load_tail(d, b + i, n - i)));
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(s0, s1)));
}

// Largest element; -infinity for n = 0.
HWY_INLINE float max_of(const float* x, int64_t n) {
  const F32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  float result = -HUGE_VALF;
  int64_t i = 0;
  if (n >= lanes) {
    VecF m = hn::LoadU(d, x);
    for (i = lanes; i + lanes <= n; i += lanes) m = hn::Max(m, hn::LoadU(d, x + i));
    result = hn::GetLane(hn::MaxOfLanes(d, m));
  }
  for (; i < n; ++i) result = x[i] > result ? x[i] : result;
  return result;
}

// exp of x <= 88.37, about one unit in the last place: exactly 0 for -infinity and below -87.33, NaN for NaN.
// x = n ln 2 + r with |r| <= ln 2 / 2; 2^n is put together from its bits, exp(r) is a polynomial.
// Source of the coefficients: Moshier, Cephes, expf.
HWY_INLINE VecF exp_below(F32 d, VecF x) {
  const hn::RebindToSigned<F32> bits;
  const VecF shift = hn::Set(d, 12582912.0f);  // 1.5 * 2^23: a sum with it has no fraction left, and n in its lowest bits
  const VecF shifted = hn::MulAdd(x, hn::Set(d, 1.44269504088896341f), shift);
  const VecF n = hn::Sub(shifted, shift);
  const VecF r = hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4f), hn::NegMulAdd(n, hn::Set(d, 0.693359375f), x));
  VecF p = hn::Set(d, 1.9875691500e-4f);
  p = hn::MulAdd(p, r, hn::Set(d, 1.3981999507e-3f));
  p = hn::MulAdd(p, r, hn::Set(d, 8.3334519073e-3f));
  p = hn::MulAdd(p, r, hn::Set(d, 4.1665795894e-2f));
  p = hn::MulAdd(p, r, hn::Set(d, 1.6666665459e-1f));
  p = hn::MulAdd(p, r, hn::Set(d, 5.0000001201e-1f));
  p = hn::MulAdd(p, hn::Mul(r, r), hn::Add(r, hn::Set(d, 1.0f)));
  const auto power = hn::Add(hn::ShiftLeft<23>(hn::BitCast(bits, shifted)), hn::Set(bits, 127 << 23));
  return hn::IfThenZeroElse(hn::Lt(x, hn::Set(d, -87.33f)), hn::Mul(p, hn::BitCast(d, power)));
}

// exp for any x: infinity above 88.37.
HWY_INLINE VecF exp_of(F32 d, VecF x) {
  return hn::IfThenElse(hn::Gt(x, hn::Set(d, 88.37f)), hn::Set(d, HUGE_VALF), exp_below(d, x));
}

// 1 / (1 + exp(-x)), without overflow.
HWY_INLINE VecF sigmoid_of(F32 d, VecF x) {
  const VecF one = hn::Set(d, 1.0f);
  const VecF e = exp_below(d, hn::Neg(hn::Abs(x)));  // in (0, 1]
  const VecF denominator = hn::Add(one, e);
  return hn::Div(hn::IfThenElse(hn::Ge(x, hn::Zero(d)), one, e), denominator);
}

HWY_INLINE VecF tanh_of(F32 d, VecF x) {
  // Near 0 the quotient of exponentials cancels; an odd polynomial takes over there (Taylor, 5 terms, |x| < 0.3).
  const VecF one = hn::Set(d, 1.0f), two = hn::Set(d, 2.0f);
  const VecF a = hn::Abs(x);
  const VecF e = exp_below(d, hn::Neg(hn::Mul(two, a)));
  const VecF large = hn::CopySign(hn::Div(hn::Sub(one, e), hn::Add(one, e)), x);
  const VecF x2 = hn::Mul(x, x);
  VecF p = hn::Set(d, 62.0f / 2835.0f);
  p = hn::MulAdd(p, x2, hn::Set(d, -17.0f / 315.0f));
  p = hn::MulAdd(p, x2, hn::Set(d, 2.0f / 15.0f));
  p = hn::MulAdd(p, x2, hn::Set(d, -1.0f / 3.0f));
  const VecF small = hn::MulAdd(hn::Mul(x, x2), p, x);
  return hn::IfThenElse(hn::Lt(a, hn::Set(d, 0.3f)), small, large);
}

// erf to about 1.5e-7 absolute. Source: Abramowitz and Stegun 1964, formula 7.1.26.
HWY_INLINE VecF erf_of(F32 d, VecF x) {
  const VecF one = hn::Set(d, 1.0f);
  const VecF a = hn::Abs(x);
  const VecF t = hn::Div(one, hn::MulAdd(a, hn::Set(d, 0.3275911f), one));
  VecF p = hn::Set(d, 1.061405429f);
  p = hn::MulAdd(p, t, hn::Set(d, -1.453152027f));
  p = hn::MulAdd(p, t, hn::Set(d, 1.421413741f));
  p = hn::MulAdd(p, t, hn::Set(d, -0.284496736f));
  p = hn::MulAdd(p, t, hn::Set(d, 0.254829592f));
  const VecF e = exp_below(d, hn::Neg(hn::Mul(a, a)));
  return hn::CopySign(hn::NegMulAdd(hn::Mul(p, t), e, one), x);
}

}  // namespace danlu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
