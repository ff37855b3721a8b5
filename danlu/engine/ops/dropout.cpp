#include "danlu/engine/ops/dropout.h"

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/dropout.h"
#include "danlu/engine/ops/op.h"
#include "danlu/engine/ops/random.h"
#include "danlu/engine/ops/require.h"

namespace danlu {

Tensor dropout(const Tensor& x, float p) {
  require_f32(op::dropout, x);
  if (!(p >= 0 && p < 1)) throw ConfigError("engine.ops.dropout", fmt::format("got p = {}; expected a number in [0, 1)", p));
  const RandomState draw = next_random();
  const auto threshold = static_cast<uint32_t>(static_cast<double>(p) * 0x1p32);
  const float scale = 1.0f / (1.0f - p);
  Tensor y = Tensor::empty(x.shape());
  kernels::dropout(x.data(), y.mutable_data(), x.numel(), threshold, scale, draw.seed, draw.offset);
  if (recording(x)) {
    record(op::dropout, y, {&x}, [=](GradContext& context) {
      Tensor dx = Tensor::empty(context.dy().shape());
      kernels::dropout(context.dy().data(), dx.mutable_data(), dx.numel(), threshold, scale, draw.seed, draw.offset);
      context.add(0, std::move(dx));
    });
  }
  return y;
}

}  // namespace danlu
