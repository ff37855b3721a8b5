#include "danlu/engine/ops/swiglu.h"

#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/swiglu.h"
#include "danlu/engine/ops/op.h"
#include "danlu/engine/ops/require.h"

namespace danlu {

Tensor swiglu(const Tensor& x) {
  require_f32(op::swiglu, x);
  if (x.rank() < 1 || x.size(-1) % 2 != 0) bad_shape(op::swiglu, "x", x.shape(), "(..., 2 F)");
  const int64_t rows = x.shape().outer(-1), n = x.size(-1) / 2;
  Tensor y = Tensor::empty(x.shape().with(-1, n));
  kernels::swiglu(x.data(), y.mutable_data(), rows, n);
  if (recording(x)) {
    record(op::swiglu, y, {&x}, [rows, n, x = Saved(x)](GradContext& context) {
      Tensor dx = Tensor::empty(x.get().shape());
      kernels::swiglu_backward(context.dy().data(), x.get().data(), dx.mutable_data(), rows, n);
      context.add(0, std::move(dx));
    });
  }
  return y;
}

}  // namespace danlu
