#include "danlu/engine/ops/embedding.h"

#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/embedding.h"
#include "danlu/engine/ops/op.h"
#include "danlu/engine/ops/require.h"

namespace danlu {
namespace {

void require_rows(const char* op, const Tensor& ids, const Tensor& weight) {
  require_f32(op, weight);
  if (weight.rank() != 2) bad_shape(op, "weight", weight.shape(), "(V, C)");
  const int64_t count = ids.numel(), table = weight.size(0);
  const int64_t* id = ids.data<int64_t>();
  for (int64_t i = 0; i < count; ++i) {
    if (id[i] < 0 || id[i] >= table) {
      throw DataError(fmt::format("engine.ops.{}", op), fmt::format("got id {} at position {}; expected one in [0, {})", id[i], i, table));
    }
  }
}

}  // namespace

Tensor embedding(const Tensor& ids, const Tensor& weight) {
  require_rows(op::embedding, ids, weight);
  const int64_t count = ids.numel(), n = weight.size(1);
  const int64_t* id = ids.data<int64_t>();
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

Tensor embedding_bag(const Tensor& ids, const Tensor& scales, const Tensor& weight) {
  require_rows(op::embedding_bag, ids, weight);
  require_f32(op::embedding_bag, scales);
  if (ids.rank() != 2) bad_shape(op::embedding_bag, "ids", ids.shape(), "(N, K)");
  if (!(scales.shape() == ids.shape())) bad_shape(op::embedding_bag, "scales", scales.shape(), ids.shape().str());
  const int64_t bags = ids.size(0), k = ids.size(1), rows = weight.size(0), n = weight.size(1);
  Tensor y = Tensor::empty({bags, n});
  kernels::embedding_bag(weight.data(), ids.data<int64_t>(), scales.data(), y.mutable_data(), bags, k, n);
  if (recording(weight)) {
    record(op::embedding_bag, y, {&weight}, [=, ids = Saved(ids), scales = Saved(scales)](GradContext& context) {
      auto [dweight, accumulate] = context.target(0);
      if (!accumulate) kernels::clear(dweight.mutable_data(), dweight.numel());
      kernels::embedding_bag_backward(context.dy().data(), ids.get().data<int64_t>(), scales.get().data(), dweight.mutable_data(), bags, k, rows, n);
    });
  }
  return y;
}

}  // namespace danlu
