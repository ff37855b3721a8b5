#include "danlu/engine/ops/embedding.h"

#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/embedding.h"
#include "danlu/engine/ops/op.h"
#include "danlu/engine/ops/require.h"

namespace danlu {

Tensor embedding(const Tensor& ids, const Tensor& weight) {
  require_f32(op::embedding, weight);
  if (weight.rank() != 2) bad_shape(op::embedding, "weight", weight.shape(), "(V, C)");
  const int64_t count = ids.numel(), table = weight.size(0), n = weight.size(1);
  const int64_t* id = ids.data<int64_t>();
  for (int64_t i = 0; i < count; ++i) {
    if (id[i] < 0 || id[i] >= table) {
      throw DataError("engine.ops.embedding", fmt::format("got id {} at position {}; expected one in [0, {})", id[i], i, table));
    }
  }
  Tensor y = Tensor::empty(ids.shape().insert(ids.rank(), n));
  kernels::embedding(weight.data(), id, y.mutable_data(), count, n);
  if (recording(weight)) {
    record(op::embedding, y, {&weight}, [count, n, ids = Saved(ids)](GradContext& context) {
      auto [dweight, accumulate] = context.target(0);
      if (!accumulate) kernels::clear(dweight.mutable_data(), dweight.numel());
      kernels::embedding_backward(context.dy().data(), ids.get().data<int64_t>(), dweight.mutable_data(), count, n);
    });
  }
  return y;
}

}  // namespace danlu
