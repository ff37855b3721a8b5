// Activations of a row in place, for products and convolutions that end with one. Compiled once for each instruction
// set: include it inside a file that is itself included by hwy/foreach_target.h.

#if defined(DANLU_ACTIVATION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef DANLU_ACTIVATION_INL_H_
#undef DANLU_ACTIVATION_INL_H_
#else
#define DANLU_ACTIVATION_INL_H_
#endif

#include "danlu/engine/kernels/gemm.h"
#include "danlu/engine/kernels/vector_map.inl.h"

HWY_BEFORE_NAMESPACE();
namespace danlu::kernels::HWY_NAMESPACE {

HWY_INLINE void activate(Activation activation, float* y, int64_t n) {
  switch (activation) {
    case Activation::none:
      return;
    case Activation::relu:
      // Not Max: a NaN must stay visible.
      return map(y, y, n, [](F32 d, VecF v) HWY_ATTR { return hn::IfThenZeroElse(hn::Lt(v, hn::Zero(d)), v); });
    case Activation::leaky_relu:
      return map(y, y, n, [](F32 d, VecF v) HWY_ATTR {
        return hn::IfThenElse(hn::Gt(v, hn::Zero(d)), v, hn::Mul(v, hn::Set(d, kLeakySlope)));
      });
    case Activation::sigmoid:
      return map(y, y, n, [](F32 d, VecF v) HWY_ATTR { return sigmoid_of(d, v); });
    case Activation::tanh:
      return map(y, y, n, [](F32 d, VecF v) HWY_ATTR { return tanh_of(d, v); });
  }
}

}  // namespace danlu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
