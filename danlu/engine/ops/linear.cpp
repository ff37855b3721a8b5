#include "danlu/engine/ops/linear.h"

#include "danlu/base/format.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/gemm.h"
#include "danlu/engine/kernels/reduce.h"
#include "danlu/engine/ops/activation_gradient.h"
#include "danlu/engine/ops/op.h"
#include "danlu/engine/ops/require.h"

namespace danlu {
namespace {

// One product a batch entry; b is one matrix for all of them if b_shared.
struct Batched {
  int64_t batch, m, n, k;
  bool b_shared;
};

Batched match(const Tensor& a, const Tensor& b, MatmulOptions options) {
  const auto expected = [&] { return fmt::format("a shape that multiplies with {}", a.shape().str()); };
  if (a.rank() < 2) bad_shape(op::matmul, "a", a.shape(), "at least two axes");
  if (b.rank() < 2) bad_shape(op::matmul, "b", b.shape(), expected());
  const int64_t m = a.size(options.transpose_a ? -1 : -2), k = a.size(options.transpose_a ? -2 : -1);
  const int64_t b_k = b.size(options.transpose_b ? -1 : -2), n = b.size(options.transpose_b ? -2 : -1);
  const bool b_shared = b.rank() == 2;
  bool fits = k == b_k && (b_shared || a.rank() == b.rank());
  int64_t batch = 1;
  for (int axis = 0; axis < a.rank() - 2; ++axis) {
    batch *= a.size(axis);
    fits = fits && (b_shared || a.size(axis) == b.size(axis));
  }
  if (!fits) bad_shape(op::matmul, "b", b.shape(), expected());
  return {batch, m, n, k, b_shared};
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b, MatmulOptions options) {
  require_f32(op::matmul, a);
  require_f32(op::matmul, b);
  const Batched s = match(a, b, options);
  const bool ta = options.transpose_a, tb = options.transpose_b;
  Tensor y = Tensor::empty(a.shape().with(-2, s.m).with(-1, s.n));
  const int64_t b_step = s.b_shared ? 0 : s.k * s.n;
  for (int64_t i = 0; i < s.batch; ++i) {
    kernels::gemm(ta, tb, s.m, s.n, s.k, a.data() + i * s.m * s.k, b.data() + i * b_step, 0, y.mutable_data() + i * s.m * s.n);
  }
  if (!recording(a, b)) return y;

  record(op::matmul, y, {&a, &b}, [s, ta, tb, b_step, a = Saved(a), b = Saved(b)](GradContext& context) {
    const float* dy = context.dy().data();
    if (context.needs(0)) {
      auto [da, accumulate] = context.target(0);
      for (int64_t i = 0; i < s.batch; ++i) {
        const float* b_i = b.get().data() + i * b_step;
        const float* dy_i = dy + i * s.m * s.n;
        float* da_i = da.mutable_data() + i * s.m * s.k;
        // A' = A: dA (m, k) = dY B'^T.   A' = A^T: dA (k, m) = B' dY^T.
        if (ta) {
          kernels::gemm(tb, true, s.k, s.m, s.n, b_i, dy_i, accumulate ? 1.0f : 0.0f, da_i);
        } else {
          kernels::gemm(false, !tb, s.m, s.k, s.n, dy_i, b_i, accumulate ? 1.0f : 0.0f, da_i);
        }
      }
    }
    if (context.needs(1)) {
      auto [db, accumulate] = context.target(1);
      for (int64_t i = 0; i < s.batch; ++i) {
        const float* a_i = a.get().data() + i * s.m * s.k;
        const float* dy_i = dy + i * s.m * s.n;
        float* db_i = db.mutable_data() + i * b_step;
        const float beta = accumulate || (s.b_shared && i > 0) ? 1.0f : 0.0f;
        // B' = B: dB (k, n) = A'^T dY.   B' = B^T: dB (n, k) = dY^T A'.
        if (tb) {
          kernels::gemm(true, ta, s.n, s.k, s.m, dy_i, a_i, beta, db_i);
        } else {
          kernels::gemm(!ta, false, s.k, s.n, s.m, a_i, dy_i, beta, db_i);
        }
      }
      if (s.batch == 0 && !accumulate) db.fill(0);
    }
  });
  return y;
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, Activation activation) {
  require_f32(op::linear, x);
  require_f32(op::linear, weight);
  if (x.rank() < 1) bad_shape(op::linear, "x", x.shape(), "at least one axis");
  if (weight.rank() != 2 || weight.size(1) != x.size(-1)) {
    bad_shape(op::linear, "weight", weight.shape(), fmt::format("(out, {}) for x of shape {}", x.size(-1), x.shape().str()));
  }
  const int64_t k = x.size(-1), n = weight.size(0), m = x.shape().outer(-1);
  if (bias.defined() && !(bias.shape() == Shape{n})) bad_shape(op::linear, "bias", bias.shape(), Shape{n}.str());

  Tensor y = Tensor::empty(x.shape().with(-1, n));
  kernels::linear_forward(x.data(), weight.data(), bias.defined() ? bias.data() : nullptr, y.mutable_data(), m, n, k, activation);
  if (!(recording(x, weight) || recording(bias))) return y;

  const bool keeps_output = activation != Activation::none;
  record(op::linear, y, {&x, &weight, &bias},
         [m, n, k, activation, x = Saved(x), w = Saved(weight), y = keeps_output ? Saved(y) : Saved()](GradContext& context) {
    const Tensor dz = activation_gradient(activation, context.dy(), activation == Activation::none ? Tensor() : y.get());
    if (context.needs(0)) {
      auto target = context.target(0);
      kernels::gemm(false, false, m, k, n, dz.data(), w.get().data(), target.beta(), target.gradient.mutable_data());
    }
    if (context.needs(1)) {
      auto target = context.target(1);
      kernels::gemm(true, false, n, k, m, dz.data(), x.get().data(), target.beta(), target.gradient.mutable_data());
    }
    if (context.needs(2)) {
      auto target = context.target(2);
      kernels::column_sum(dz.data(), target.gradient.mutable_data(), m, n, target.accumulate);
    }
  });
  return y;
}

}  // namespace danlu
