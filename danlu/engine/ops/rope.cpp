#include "danlu/engine/ops/rope.h"

#include "danlu/base/format.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/rope.h"
#include "danlu/engine/ops/op.h"
#include "danlu/engine/ops/require.h"

namespace danlu {

Tensor rope(const Tensor& x, int64_t heads, int64_t rotated_heads, const Tensor& frequencies, const Tensor& positions) {
  require_f32(op::rope, x);
  require_f32(op::rope, frequencies);
  if (frequencies.rank() != 1) bad_shape(op::rope, "frequencies", frequencies.shape(), "(D / 2)");
  const int64_t pairs = frequencies.size(0);
  const int64_t row = x.rank() < 2 ? 0 : x.size(-1);
  const bool fits = heads > 0 ? row % heads == 0 && row / heads == 2 * pairs : heads == 0 && row == 0;
  if (x.rank() < 2 || rotated_heads < 0 || rotated_heads > heads || !fits) {
    bad_shape(op::rope, "x", x.shape(), fmt::format("(..., T, {} heads * {}), {} of them rotated", heads, 2 * pairs, rotated_heads));
  }
  const int64_t length = x.size(-2);
  if (positions.defined() && !(positions.shape() == Shape{length})) {
    bad_shape(op::rope, "positions", positions.shape(), Shape{length}.str());
  }
  Tensor cosines = Tensor::empty({length, pairs}), sines = Tensor::empty({length, pairs});
  kernels::rope_angles(frequencies.data(), positions.defined() ? positions.data<int64_t>() : nullptr, cosines.mutable_data(),
                       sines.mutable_data(), length, pairs);
  const kernels::RopeShape shape{x.shape().outer(-1), length, heads, rotated_heads, pairs};
  Tensor y = Tensor::empty(x.shape());
  kernels::rope(shape, x.data(), cosines.data(), sines.data(), false, y.mutable_data());
  if (recording(x)) {
    record(op::rope, y, {&x}, [=](GradContext& context) {
      Tensor dx = Tensor::empty(context.dy().shape());
      kernels::rope(shape, context.dy().data(), cosines.data(), sines.data(), true, dx.mutable_data());
      context.add(0, std::move(dx));
    });
  }
  return y;
}

}  // namespace danlu
