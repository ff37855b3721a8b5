// Numbers of 16 bits in memory (IEEE binary16, as uint16_t) that are f32 in registers. Compiled once for each instruction set: include
// it inside a file that is itself included by hwy/foreach_target.h.

#if defined(DANLU_F16_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef DANLU_F16_INL_H_
#undef DANLU_F16_INL_H_
#else
#define DANLU_F16_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "danlu/base/float16.h"
#include "danlu/engine/kernels/vector_map.inl.h"

HWY_BEFORE_NAMESPACE();
namespace danlu::kernels::HWY_NAMESPACE {

// As many numbers as a vector has lanes.
HWY_INLINE VecF load(F32 d, const float* p) { return hn::LoadU(d, p); }
HWY_INLINE VecF load(F32 d, const uint16_t* p) {
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
  return hn::PromoteTo(d, hn::LoadU(hn::Rebind<hwy::float16_t, F32>(), reinterpret_cast<const hwy::float16_t*>(p)));
#else
  HWY_ALIGN float lanes[HWY_MAX_BYTES / sizeof(float)];
  for (size_t i = 0; i < hn::Lanes(d); ++i) lanes[i] = f16_to_f32(p[i]);
  return hn::Load(d, lanes);
#endif
}

// The nearest, ties to even. What is larger than any f16 becomes the largest: the sums that it goes into stay finite. A NaN stays one.
HWY_INLINE void store_number(float value, float* p) { *p = value; }
HWY_INLINE void store_number(float value, uint16_t* p) {
  constexpr float kLargest = 65504;
  *p = f32_to_f16(value > kLargest ? kLargest : value < -kLargest ? -kLargest : value);
}

}  // namespace danlu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
