#include "danlu/engine/ops/loss.h"

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/loss.h"
#include "danlu/engine/kernels/reduce.h"
#include "danlu/engine/kernels/softmax.h"
#include "danlu/engine/ops/op.h"
#include "danlu/engine/ops/require.h"

namespace danlu {
namespace {

// A scalar holding scale * the sum of `terms`.
Tensor total(const Tensor& terms, float scale) {
  Tensor loss = Tensor::empty({});
  kernels::sum(terms.data(), loss.mutable_data(), 1, terms.numel(), 1, scale);
  return loss;
}

float inverse(double count) { return count > 0 ? static_cast<float>(1.0 / count) : 0.0f; }

Tensor cross_entropy_index(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& o) {
  const int64_t classes = logits.size(-1), rows = logits.shape().outer(-1);
  const int64_t* index = target.data<int64_t>();
  int64_t counted = 0;
  for (int64_t i = 0; i < rows; ++i) {
    if (index[i] == o.ignore_index) continue;
    if (index[i] < 0 || index[i] >= classes) {
      throw DataError("engine.ops.cross_entropy", fmt::format("got class index {} at row {}; expected one in [0, {})", index[i], i, classes));
    }
    ++counted;
  }
  const float scale = o.reduction == Reduction::mean ? inverse(static_cast<double>(counted)) : 1.0f;
  Tensor terms = Tensor::empty({rows}), log_sum_exp = Tensor::empty({rows});
  kernels::cross_entropy(logits.data(), index, o.ignore_index, o.label_smoothing, terms.mutable_data(), log_sum_exp.mutable_data(), rows, classes);
  Tensor loss = total(terms, scale);
  if (recording(logits)) {
    record(op::cross_entropy, loss, {&logits},
           [=, x = Saved(logits), t = Saved(target), ignore = o.ignore_index, smoothing = o.label_smoothing](GradContext& context) {
      Tensor dx = Tensor::empty(x.get().shape());
      kernels::cross_entropy_backward(x.get().data(), t.get().data<int64_t>(), ignore, smoothing, log_sum_exp.data(),
                                      scale * context.dy().item(), dx.mutable_data(), rows, classes);
      context.add(0, std::move(dx));
    });
  }
  return loss;
}

Tensor cross_entropy_probabilities(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& o) {
  const int64_t classes = logits.size(-1), rows = logits.shape().outer(-1);
  const float scale = o.reduction == Reduction::mean ? inverse(static_cast<double>(rows)) : 1.0f;
  Tensor terms = Tensor::empty({rows}), log_sum_exp = Tensor::empty({rows});
  kernels::cross_entropy_soft(logits.data(), target.data(), o.label_smoothing, terms.mutable_data(), log_sum_exp.mutable_data(), rows, classes);
  Tensor loss = total(terms, scale);
  if (recording(logits)) {
    record(op::cross_entropy_soft, loss, {&logits},
           [=, x = Saved(logits), q = Saved(target), smoothing = o.label_smoothing](GradContext& context) {
      Tensor dx = Tensor::empty(x.get().shape());
      kernels::cross_entropy_soft_backward(x.get().data(), q.get().data(), smoothing, log_sum_exp.data(),
                                           scale * context.dy().item(), dx.mutable_data(), rows, classes);
      context.add(0, std::move(dx));
    });
  }
  return loss;
}

Tensor pointwise(const char* op, kernels::PointwiseLoss f, const Tensor& x, const Tensor& target, float delta, const LossOptions& o) {
  require_f32(op, x);
  require_f32(op, target);
  if (!(x.shape() == target.shape())) bad_shape(op, "target", target.shape(), x.shape().str());
  if (o.mask.defined()) {
    require_f32(op, o.mask);
    if (!(o.mask.shape() == x.shape())) bad_shape(op, "mask", o.mask.shape(), x.shape().str());
  }
  const int64_t n = x.numel();
  double terms_counted = static_cast<double>(n);
  if (o.mask.defined()) {
    terms_counted = 0;
    for (const float weight : o.mask.span()) terms_counted += weight;
  }
  const float scale = o.reduction == Reduction::mean ? inverse(terms_counted) : 1.0f;
  Tensor terms = Tensor::empty(x.shape());
  const float* weight = o.mask.defined() ? o.mask.data() : nullptr;
  kernels::pointwise_loss(f, x.data(), target.data(), weight, delta, terms.mutable_data(), n);
  Tensor loss = total(terms, scale);
  if (recording(x)) {
    record(op, loss, {&x}, [=, x = Saved(x), t = Saved(target), mask = o.mask](GradContext& context) {
      Tensor dx = Tensor::empty(x.get().shape());
      kernels::pointwise_loss_backward(f, x.get().data(), t.get().data(), mask.defined() ? mask.data() : nullptr, delta,
                                       scale * context.dy().item(), dx.mutable_data(), n);
      context.add(0, std::move(dx));
    });
  }
  return loss;
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options) {
  require_f32(op::cross_entropy, logits);
  if (logits.rank() < 1 || logits.size(-1) < 1) bad_shape(op::cross_entropy, "logits", logits.shape(), "(..., C) with C >= 1");
  if (!(options.label_smoothing >= 0 && options.label_smoothing < 1)) {
    throw ConfigError("engine.ops.cross_entropy", fmt::format("got label_smoothing {}; expected a number in [0, 1)", options.label_smoothing));
  }
  if (target.dtype() == Dtype::i64) {
    if (!(target.shape() == logits.shape().without(-1))) {
      bad_shape(op::cross_entropy, "target", target.shape(), logits.shape().without(-1).str());
    }
    return cross_entropy_index(logits, target, options);
  }
  require_f32(op::cross_entropy_soft, target);
  if (!(target.shape() == logits.shape())) bad_shape(op::cross_entropy_soft, "target", target.shape(), logits.shape().str());
  return cross_entropy_probabilities(logits, target, options);
}

Tensor bce_with_logits(const Tensor& logits, const Tensor& target, const LossOptions& options) {
  return pointwise(op::bce_with_logits, kernels::PointwiseLoss::bce_with_logits, logits, target, 0, options);
}

Tensor squared_hinge_loss(const Tensor& x, const Tensor& target, const LossOptions& options) {
  return pointwise(op::squared_hinge_loss, kernels::PointwiseLoss::squared_hinge, x, target, 0, options);
}

Tensor mse_loss(const Tensor& x, const Tensor& target, const LossOptions& options) {
  return pointwise(op::mse_loss, kernels::PointwiseLoss::squared, x, target, 0, options);
}

Tensor l1_loss(const Tensor& x, const Tensor& target, const LossOptions& options) {
  return pointwise(op::l1_loss, kernels::PointwiseLoss::absolute, x, target, 0, options);
}

Tensor huber_loss(const Tensor& x, const Tensor& target, float delta, const LossOptions& options) {
  if (!(delta > 0)) throw ConfigError("engine.ops.huber_loss", fmt::format("got delta {}; expected a number > 0", delta));
  return pointwise(op::huber_loss, kernels::PointwiseLoss::huber, x, target, delta, options);
}

}  // namespace danlu
