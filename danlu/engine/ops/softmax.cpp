#include "danlu/engine/ops/softmax.h"

#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/softmax.h"
#include "danlu/engine/ops/op.h"
#include "danlu/engine/ops/require.h"

namespace danlu {
namespace {

using Forward = void (*)(const float* x, float* y, int64_t rows, int64_t n);
using BackwardKernel = void (*)(const float* dy, const float* y, float* dx, int64_t rows, int64_t n);

Tensor over_rows(const char* op, const Tensor& x, Forward forward, BackwardKernel backward_kernel) {
  require_f32(op, x);
  if (x.rank() < 1 || x.size(-1) < 1) bad_shape(op, "x", x.shape(), "(..., C) with C >= 1");
  const int64_t rows = x.shape().outer(-1), n = x.size(-1);
  Tensor y = Tensor::empty(x.shape());
  forward(x.data(), y.mutable_data(), rows, n);
  if (recording(x)) {
    record(op, y, {&x}, [backward_kernel, rows, n, y = Saved(y)](GradContext& context) {
      Tensor dx = Tensor::empty(y.get().shape());
      backward_kernel(context.dy().data(), y.get().data(), dx.mutable_data(), rows, n);
      context.add(0, std::move(dx));
    });
  }
  return y;
}

}  // namespace

Tensor softmax(const Tensor& x) { return over_rows(op::softmax, x, kernels::softmax, kernels::softmax_backward); }

Tensor log_softmax(const Tensor& x) {
  return over_rows(op::log_softmax, x, kernels::log_softmax, kernels::log_softmax_backward);
}

}  // namespace danlu
