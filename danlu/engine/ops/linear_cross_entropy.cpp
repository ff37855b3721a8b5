#include "danlu/engine/ops/linear_cross_entropy.h"

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/elementwise.h"
#include "danlu/engine/kernels/embedding.h"
#include "danlu/engine/kernels/gemm.h"
#include "danlu/engine/kernels/reduce.h"
#include "danlu/engine/kernels/softmax.h"
#include "danlu/engine/ops/op.h"
#include "danlu/engine/ops/require.h"

namespace danlu {
namespace {

constexpr int64_t kPieceElements = int64_t{1} << 23;  // of logits, 32 MiB: they stay in the third-level cache

// Rows of a piece: all of about one size, so that the last is no rest of a few rows.
int64_t rows_of_piece(int64_t rows, int64_t classes) {
  const int64_t most = std::max<int64_t>(kPieceElements / std::max<int64_t>(classes, 1), 1);
  const int64_t pieces = (rows + most - 1) / most;
  return pieces > 0 ? (rows + pieces - 1) / pieces : 1;
}

int64_t count_targets(const Tensor& target, int64_t classes, int64_t ignore) {
  int64_t counted = 0;
  for (int64_t i = 0; i < target.numel(); ++i) {
    const int64_t index = target.data<int64_t>()[i];
    if (index == ignore) continue;
    if (index < 0 || index >= classes) {
      throw DataError("engine.ops.linear_cross_entropy", fmt::format("got class index {} at row {}; expected one in [0, {})", index, i, classes));
    }
    ++counted;
  }
  return counted;
}

// gradient * dy, to where the tape wants it.
void hand_over(GradContext& context, int input, Tensor& gradient, float dy) {
  if (!context.needs(input)) return;
  auto [target, accumulate] = context.target(input);
  if (!accumulate) return kernels::affine(gradient.data(), dy, 0, target.mutable_data(), target.numel());
  if (dy != 1) kernels::affine(gradient.data(), dy, 0, gradient.mutable_data(), gradient.numel());
  kernels::add(target.mutable_data(), target.data(), gradient.data(), target.numel());
}

}  // namespace

Tensor linear_cross_entropy(const Tensor& x, const Tensor& weight, const Tensor& target, const LinearCrossEntropyOptions& options) {
  require_f32(op::linear_cross_entropy, x);
  require_f32(op::linear_cross_entropy, weight);
  if (x.rank() != 2) bad_shape(op::linear_cross_entropy, "x", x.shape(), "(M, C)");
  const int64_t rows = x.size(0), channels = x.size(1);
  if (weight.rank() != 2 || weight.size(1) != channels) {
    bad_shape(op::linear_cross_entropy, "weight", weight.shape(), fmt::format("(V, {}) for x of shape {}", channels, x.shape().str()));
  }
  if (!(target.shape() == Shape{rows})) bad_shape(op::linear_cross_entropy, "target", target.shape(), Shape{rows}.str());
  const int64_t classes = weight.size(0), counted = count_targets(target, classes, options.ignore);
  const float scale = counted > 0 ? static_cast<float>(1.0 / static_cast<double>(counted)) : 0.0f;

  Tensor dx = recording(x) ? Tensor::empty(x.shape()) : Tensor();
  Tensor dweight = recording(weight) ? Tensor::empty(weight.shape()) : Tensor();
  if (dweight.defined() && rows == 0) dweight.fill(0);
  Tensor terms = Tensor::empty({rows});
  const int64_t piece = rows_of_piece(rows, classes);
  Tensor logits = Tensor::empty({std::min(piece, rows), classes});
  for (int64_t row = 0; row < rows; row += piece) {
    const int64_t m = std::min(piece, rows - row);
    const float* x_piece = x.data() + row * channels;
    kernels::linear_forward(x_piece, weight.data(), nullptr, logits.mutable_data(), m, classes, channels, kernels::Activation::none);
    kernels::cross_entropy_in_place(logits.mutable_data(), target.data<int64_t>() + row, options.ignore, scale, terms.mutable_data() + row, m,
                                    classes);
    if (dx.defined()) {
      kernels::gemm(false, false, m, channels, classes, logits.data(), weight.data(), 0, dx.mutable_data() + row * channels);
    }
    if (dweight.defined()) {
      kernels::gemm(true, false, classes, channels, m, logits.data(), x_piece, row > 0 ? 1.0f : 0.0f, dweight.mutable_data());
    }
  }
  Tensor loss = Tensor::empty({});
  kernels::sum(terms.data(), loss.mutable_data(), 1, rows, 1, scale);
  if (recording(x, weight)) {
    record(op::linear_cross_entropy, loss, {&x, &weight}, [dx, dweight](GradContext& context) mutable {
      const float dy = context.dy().item();
      hand_over(context, 0, dx, dy);
      hand_over(context, 1, dweight, dy);
    });
  }
  return loss;
}

}  // namespace danlu
