#include "danlu/engine/ops/reduce.h"

#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/reduce.h"
#include "danlu/engine/ops/op.h"
#include "danlu/engine/ops/require.h"

namespace danlu {
namespace {

// The three loops of a reduction: x is (outer, n, inner).
struct Loops {
  int64_t outer, n, inner;
};

Loops loops_over(const Shape& shape, int axis) { return {shape.outer(axis), shape[axis], shape.inner(axis)}; }

Shape reduced(const Shape& shape, int axis, bool keep_axis) { return keep_axis ? shape.with(axis, 1) : shape.without(axis); }

Tensor scaled_sum(const char* op, const Tensor& x, Loops l, const Shape& y_shape, float scale) {
  require_f32(op, x);
  Tensor y = Tensor::empty(y_shape);
  kernels::sum(x.data(), y.mutable_data(), l.outer, l.n, l.inner, scale);
  if (recording(x)) {
    record(op, y, {&x}, [l, scale, shape = x.shape()](GradContext& context) {
      Tensor dx = Tensor::empty(shape);
      kernels::sum_backward(context.dy().data(), dx.mutable_data(), l.outer, l.n, l.inner, scale);
      context.add(0, std::move(dx));
    });
  }
  return y;
}

void require_elements(const char* op, int64_t n, const Shape& shape) {
  if (n == 0) bad_shape(op, "x", shape, "at least one element to reduce");
}

}  // namespace

Tensor sum(const Tensor& x) { return scaled_sum(op::sum, x, {1, x.numel(), 1}, {}, 1.0f); }

Tensor sum(const Tensor& x, int axis, bool keep_axis) {
  return scaled_sum(op::sum, x, loops_over(x.shape(), axis), reduced(x.shape(), axis, keep_axis), 1.0f);
}

Tensor mean(const Tensor& x) {
  require_elements(op::mean, x.numel(), x.shape());
  return scaled_sum(op::mean, x, {1, x.numel(), 1}, {}, 1.0f / static_cast<float>(x.numel()));
}

Tensor mean(const Tensor& x, int axis, bool keep_axis) {
  const Loops l = loops_over(x.shape(), axis);
  require_elements(op::mean, l.n, x.shape());
  return scaled_sum(op::mean, x, l, reduced(x.shape(), axis, keep_axis), 1.0f / static_cast<float>(l.n));
}

Tensor max(const Tensor& x, int axis, bool keep_axis) {
  require_f32(op::max, x);
  const Loops l = loops_over(x.shape(), axis);
  require_elements(op::max, l.n, x.shape());
  const Shape y_shape = reduced(x.shape(), axis, keep_axis);
  Tensor y = Tensor::empty(y_shape), index = Tensor::empty(y_shape, Dtype::i64);
  kernels::max(x.data(), y.mutable_data(), index.mutable_data<int64_t>(), l.outer, l.n, l.inner);
  if (recording(x)) {
    record(op::max, y, {&x}, [l, index, shape = x.shape()](GradContext& context) {
      Tensor dx = Tensor::empty(shape);
      kernels::max_backward(context.dy().data(), index.data<int64_t>(), dx.mutable_data(), l.outer, l.n, l.inner);
      context.add(0, std::move(dx));
    });
  }
  return y;
}

Tensor argmax(const Tensor& x, int axis, bool keep_axis) {
  require_f32(op::argmax, x);
  const Loops l = loops_over(x.shape(), axis);
  require_elements(op::argmax, l.n, x.shape());
  Tensor index = Tensor::empty(reduced(x.shape(), axis, keep_axis), Dtype::i64);
  kernels::max(x.data(), nullptr, index.mutable_data<int64_t>(), l.outer, l.n, l.inner);
  return index;
}

}  // namespace danlu
