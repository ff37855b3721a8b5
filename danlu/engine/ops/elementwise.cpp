#include "danlu/engine/ops/elementwise.h"

#include "danlu/base/format.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/elementwise.h"
#include "danlu/engine/ops/op.h"
#include "danlu/engine/ops/require.h"

namespace danlu {
namespace {

using kernels::Binary;
using kernels::Broadcast;
using kernels::Operand;
using kernels::Unary;
using kernels::Uses;

Tensor unary(const char* op, Unary f, const Tensor& x) {
  require_f32(op, x);
  Tensor y = Tensor::empty(x.shape());
  kernels::unary(f, x.data(), y.mutable_data(), x.numel());
  if (recording(x)) {
    const Uses uses = kernels::unary_backward_uses(f);
    Saved saved;
    if (uses != Uses::neither) saved = Saved(uses == Uses::input ? x : y);
    record(op, y, {&x}, [f, uses, saved](GradContext& context) {
      const Tensor& dy = context.dy();
      Tensor dx = Tensor::empty(dy.shape());
      const float* kept = uses == Uses::neither ? nullptr : saved.get().data();
      kernels::unary_backward(f, dy.data(), kept, kept, dx.mutable_data(), dy.numel());
      context.add(0, std::move(dx));
    });
  }
  return y;
}

// The gradient of an operand that was repeated to the result's shape: `dy` summed over the repeats.
Tensor unbroadcast(const Tensor& dy, const Shape& shape, const Broadcast& plan, Operand operand) {
  if (dy.shape() == shape) return dy;
  if (shape.numel() == dy.numel()) return dy.view(shape);
  Tensor sum = Tensor::empty(shape);
  kernels::reduce_broadcast(dy.data(), sum.mutable_data(), sum.numel(), plan, operand);
  return sum;
}

Tensor binary(const char* op, Binary f, const Tensor& a, const Tensor& b) {
  require_f32(op, a);
  require_f32(op, b);
  Broadcast plan;
  std::array<int64_t, Broadcast::kMaxLoops> sizes;
  int rank = 0;
  if (!Broadcast::plan(a.shape().sizes(), b.shape().sizes(), plan, sizes, rank)) {
    bad_shape(op, "operands", b.shape(), fmt::format("a shape that broadcasts with {}", a.shape().str()));
  }
  Tensor y = Tensor::empty(Shape(std::span<const int64_t>(sizes.data(), static_cast<size_t>(rank))));
  kernels::binary(f, a.data(), b.data(), y.mutable_data(), plan);
  if (!recording(a, b)) return y;

  const bool needs_values = f == Binary::mul || f == Binary::div;
  record(op, y, {&a, &b},
         [f, plan, a_shape = a.shape(), b_shape = b.shape(), a = needs_values ? Saved(a) : Saved(),
          b = needs_values ? Saved(b) : Saved()](GradContext& context) {
    const Tensor& dy = context.dy();
    // d/da, of the result's shape before summing; dy itself where the derivative is 1.
    const auto combine = [&](Binary g, const Tensor& left, const Tensor& right) {
      Broadcast pair;
      std::array<int64_t, Broadcast::kMaxLoops> unused;
      int unused_rank = 0;
      Broadcast::plan(left.shape().sizes(), right.shape().sizes(), pair, unused, unused_rank);
      Tensor out = Tensor::empty(dy.shape());
      kernels::binary(g, left.data(), right.data(), out.mutable_data(), pair);
      return out;
    };
    if (context.needs(0)) {
      const Tensor da = f == Binary::mul ? combine(Binary::mul, dy, b.get()) : f == Binary::div ? combine(Binary::div, dy, b.get()) : dy;
      context.add(0, unbroadcast(da, a_shape, plan, Operand::a));
    }
    if (context.needs(1)) {
      Tensor db = dy;
      if (f == Binary::mul) db = combine(Binary::mul, dy, a.get());
      if (f == Binary::div) db = combine(Binary::div, combine(Binary::div, combine(Binary::mul, dy, a.get()), b.get()), b.get());
      if (f == Binary::sub || f == Binary::div) {
        Tensor negated = Tensor::empty(dy.shape());
        kernels::unary(Unary::neg, db.data(), negated.mutable_data(), db.numel());
        db = negated;
      }
      context.add(1, unbroadcast(db, b_shape, plan, Operand::b));
    }
  });
  return y;
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) { return binary(op::add, Binary::add, a, b); }
Tensor sub(const Tensor& a, const Tensor& b) { return binary(op::sub, Binary::sub, a, b); }
Tensor mul(const Tensor& a, const Tensor& b) { return binary(op::mul, Binary::mul, a, b); }
Tensor div(const Tensor& a, const Tensor& b) { return binary(op::div, Binary::div, a, b); }

Tensor affine(const Tensor& x, float scale, float shift) {
  require_f32(op::affine, x);
  Tensor y = Tensor::empty(x.shape());
  kernels::affine(x.data(), scale, shift, y.mutable_data(), x.numel());
  if (recording(x)) {
    record(op::affine, y, {&x}, [scale](GradContext& context) {
      const Tensor& dy = context.dy();
      Tensor dx = Tensor::empty(dy.shape());
      kernels::affine(dy.data(), scale, 0, dx.mutable_data(), dy.numel());
      context.add(0, std::move(dx));
    });
  }
  return y;
}

Tensor clamp(const Tensor& x, float low, float high) {
  require_f32(op::clamp, x);
  Tensor y = Tensor::empty(x.shape());
  kernels::clamp(x.data(), low, high, y.mutable_data(), x.numel());
  if (recording(x)) {
    record(op::clamp, y, {&x}, [low, high, saved = Saved(x)](GradContext& context) {
      const Tensor& dy = context.dy();
      Tensor dx = Tensor::empty(dy.shape());
      kernels::clamp_backward(dy.data(), saved.get().data(), low, high, dx.mutable_data(), dy.numel());
      context.add(0, std::move(dx));
    });
  }
  return y;
}

Tensor neg(const Tensor& x) { return unary(op::neg, Unary::neg, x); }
Tensor exp(const Tensor& x) { return unary(op::exp, Unary::exp, x); }
Tensor log(const Tensor& x) { return unary(op::log, Unary::log, x); }
Tensor sqrt(const Tensor& x) { return unary(op::sqrt, Unary::sqrt, x); }
Tensor square(const Tensor& x) { return unary(op::square, Unary::square, x); }
Tensor abs(const Tensor& x) { return unary(op::abs, Unary::abs, x); }
Tensor relu(const Tensor& x) { return unary(op::relu, Unary::relu, x); }
Tensor leaky_relu(const Tensor& x) { return unary(op::leaky_relu, Unary::leaky_relu, x); }
Tensor sigmoid(const Tensor& x) { return unary(op::sigmoid, Unary::sigmoid, x); }
Tensor tanh(const Tensor& x) { return unary(op::tanh, Unary::tanh, x); }
Tensor gelu(const Tensor& x) { return unary(op::gelu, Unary::gelu, x); }
Tensor gelu_tanh(const Tensor& x) { return unary(op::gelu_tanh, Unary::gelu_tanh, x); }
Tensor silu(const Tensor& x) { return unary(op::silu, Unary::silu, x); }

}  // namespace danlu
