#include "danlu/learn/train/objective.h"

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/elementwise.h"
#include "danlu/engine/ops/loss.h"
#include "danlu/engine/ops/movement.h"
#include "danlu/engine/ops/softmax.h"
#include "danlu/learn/train/epoch_sums.h"

namespace danlu::train {

using data::TaskKind;

void DistillOptions::describe(OptionVisitor& v) {
  v.field("teacher", teacher, "a run or a bundle of the same classes, from whose probabilities this model learns besides; empty: none");
  v.field("temperature", temperature, {0.1, 100}, "above 1 the teacher's small probabilities count for more");
  v.field("alpha", alpha, {0, 1}, "the teacher's part of the loss; the rest is that of the labels");
}

void ObjectiveOptions::describe(OptionVisitor& v) {
  v.field("label_smoothing", label_smoothing, {0, 0.5}, "part of each target that is spread over all classes");
  v.choice("class_weights", class_weights, {"none", "balanced"}, "balanced: samples of rare classes count for more, so that each class counts alike");
  v.choice("classification_loss", classification_loss, {"cross_entropy", "squared_hinge"}, "for classes: of probabilities, or of margins, as a linear support vector machine has it");
  v.choice("regression_loss", regression_loss, {"mse", "mae", "huber"}, "for a numeric target, and for series");
  v.choice("adversarial_loss", adversarial_loss, {"non_saturating", "hinge"}, "of a gan");
  v.field("generator_lr_factor", generator_lr_factor, {1e-6, 1e6}, "of a gan: the learning rate of its generator, in those of the optimizer");
  v.choice("task_weighting", task_weighting, {"fixed", "uncertainty"}, "of several targets: the weights that data.targets gives, or learnt with the model, by how uncertain each target is");
  v.group("pseudo_labels", pseudo_labels, "learning from rows without a label, by the classes that the model itself thinks the most probable");
  v.choice("ranking_loss", ranking_loss, {"softmax", "sampled_softmax", "bpr"}, "for a recommender: cross-entropy over all items, or over one and those drawn for it; or one against each drawn");
  v.field("negatives", negatives, {1, 1e4}, "for a recommender: items drawn for each that was chosen, by sampled_softmax and bpr");
  v.field("temperature", temperature, {1e-3, 10}, "for a retriever: how much nearer counts as much; the lower, the more the hardest of the others count");
  v.group("distill", distill, "for classes: learning from another model");
}

Validation Objective::validate(nn::Module& model, data::DataLoader& loader) const {
  const NoGrad no_grad;
  const nn::EvalMode eval(model);
  EpochSums total;
  for (const data::Batch& batch : loader) {
    const Outcome outcome = evaluate(model, batch);
    total.add(outcome.loss.item(), outcome.correct, terms(batch));
  }
  return {total.mean_loss(), total.accuracy(), total.terms, {}};
}

namespace {

// Targets for as many answers to each sample as there are.
Tensor repeated(const Tensor& y, int64_t answers) {
  const int64_t samples = y.size(0), members = samples == 0 ? 1 : answers / samples;
  if (members * samples != answers) {
    throw ShapeError("learn.train", fmt::format("got {} outputs for {} targets; expected one, or as many for each", answers, samples));
  }
  return members == 1 ? y : concat(std::vector<Tensor>(static_cast<size_t>(members), y), 0);
}

// Losses that are made of one-hot targets and margins write to the place that a label names.
void require_classes(const Tensor& y, int64_t classes) {
  for (int64_t i = 0; i < y.numel(); ++i) {
    const int64_t label = y.data<int64_t>()[i];
    if (label < 0 || label >= classes) throw DataError("learn.train", fmt::format("got class index {} at row {}; expected one in [0, {})", label, i, classes));
  }
}

}  // namespace

PredictionObjective::PredictionObjective(TaskKind task, const ObjectiveOptions& options, std::span<const int64_t> labels)
    : task_(task), options_(options) {
  const bool margins = has_margins();
  if (margins && !data::has_classes(task)) {
    throw ConfigError("learn.train", fmt::format("train.classification_loss: got squared_hinge; expected cross_entropy for a {} task", data::name_of(task)));
  }
  if (margins && options_.label_smoothing > 0) {
    throw ConfigError("learn.train", fmt::format("train.label_smoothing: got {}; expected 0: squared_hinge has no probabilities to smooth", options_.label_smoothing));
  }
  if (options_.class_weights == "none") return;
  if (!data::has_classes(task)) throw ConfigError("learn.train", fmt::format("train.class_weights: got balanced; expected none for a {} task", data::name_of(task)));
  std::vector<int64_t> counts;
  for (const int64_t label : labels) {
    if (label >= static_cast<int64_t>(counts.size())) counts.resize(static_cast<size_t>(label) + 1);
    ++counts[static_cast<size_t>(label)];
  }
  for (const int64_t count : counts) {
    weights_.push_back(count == 0 ? 1.0f : static_cast<float>(labels.size()) / static_cast<float>(counts.size() * static_cast<size_t>(count)));
  }
}

Objective::Outcome PredictionObjective::evaluate(nn::Module& model, const data::Batch& batch) const {
  const Tensor outputs = model(batch.x);
  return {loss(outputs, batch.y), num_correct(outputs, batch.y)};
}

Tensor PredictionObjective::margin_loss(const Tensor& outputs, const Tensor& y) const {
  const int64_t width = outputs.size(-1);
  Tensor target = Tensor::full(outputs.shape(), -1), mask = Tensor::full(outputs.shape(), 1);
  for (int64_t i = 0; i < y.numel(); ++i) {
    const int64_t label = y.data<int64_t>()[i];
    if (width > 1 || label == 1) target.mutable_data()[i * width + (width > 1 ? label : 0)] = 1;
    std::fill_n(mask.mutable_data() + i * width, width, weight(label));
  }
  return squared_hinge_loss(outputs, target, {.mask = mask}) * static_cast<float>(width);
}

Tensor PredictionObjective::loss(const Tensor& outputs, const Tensor& targets) const {
  const Tensor y = repeated(targets, outputs.size(0));
  const auto smoothing = static_cast<float>(options_.label_smoothing);
  if (data::has_classes(task_)) require_classes(y, std::max<int64_t>(2, outputs.size(-1)));
  if (has_margins()) return margin_loss(outputs, y);
  if (task_ == TaskKind::multiclass) {
    if (weights_.empty()) return cross_entropy(outputs, y, {.label_smoothing = smoothing});
    // One-hot targets, each times the share of its sample in the mean.
    const int64_t classes = outputs.size(-1);
    float sum = 0;
    for (const int64_t label : y.span<int64_t>()) sum += weight(label);
    Tensor weighted = Tensor::empty(outputs.shape());
    for (int64_t i = 0; i < y.numel(); ++i) {
      const int64_t label = y.data<int64_t>()[i];
      const float share = weight(label) * static_cast<float>(y.numel()) / sum;
      float* row = weighted.mutable_data() + i * classes;
      std::fill_n(row, classes, share * smoothing / static_cast<float>(classes));
      row[label] += share * (1 - smoothing);
    }
    return cross_entropy(outputs, weighted);
  }
  if (task_ == TaskKind::multilabel) {
    if (smoothing == 0) return bce_with_logits(outputs, y);
    Tensor smooth = Tensor::empty(y.shape());
    for (int64_t i = 0; i < y.numel(); ++i) smooth.mutable_data()[i] = y.data()[i] * (1 - smoothing) + 0.5f * smoothing;
    return bce_with_logits(outputs, smooth);
  }
  const Tensor flat = reshape(outputs, {outputs.numel()});
  if (task_ == TaskKind::binary) {
    Tensor target = Tensor::empty(flat.shape());
    const int64_t* index = y.data<int64_t>();
    float* t = target.mutable_data();
    if (y.numel() != flat.numel()) {
      throw ShapeError("learn.train", fmt::format("got outputs {} for targets {}", outputs.shape().str(), y.shape().str()));
    }
    for (int64_t i = 0; i < y.numel(); ++i) t[i] = static_cast<float>(index[i]) * (1 - smoothing) + 0.5f * smoothing;
    if (weights_.empty()) return bce_with_logits(flat, target);
    Tensor mask = Tensor::empty(flat.shape());
    for (int64_t i = 0; i < y.numel(); ++i) mask.mutable_data()[i] = weight(index[i]);
    return bce_with_logits(flat, target, {.mask = mask});
  }
  if (options_.regression_loss == "mae") return l1_loss(flat, y);
  if (options_.regression_loss == "huber") return huber_loss(flat, y);
  return mse_loss(flat, y);
}

Tensor PredictionObjective::answer(const Tensor& outputs) const {
  const NoGrad no_grad;
  if (task_ == TaskKind::regression || task_ == TaskKind::clustering) return outputs;
  if (task_ == TaskKind::multiclass) return softmax(outputs);
  if (task_ == TaskKind::multilabel) return sigmoid(outputs);
  const Tensor positive = sigmoid(outputs);
  Tensor both = Tensor::empty({outputs.numel(), 2});
  const float* p = positive.data();
  float* q = both.mutable_data();
  for (int64_t i = 0; i < outputs.numel(); ++i) {
    q[2 * i] = 1 - p[i];
    q[2 * i + 1] = p[i];
  }
  return both;
}

std::optional<int64_t> PredictionObjective::num_correct(const Tensor& outputs, const Tensor& y) const {
  if (!data::has_classes(task_)) return std::nullopt;
  const int64_t n = outputs.size(0), width = outputs.numel() / std::max<int64_t>(n, 1);
  const float* out = outputs.data();
  const int64_t* index = y.data<int64_t>();
  const int64_t samples = y.numel();
  int64_t correct = 0;
  for (int64_t i = 0; i < n; ++i, out += width) {
    const int64_t guess = width == 1 ? (out[0] > 0 ? 1 : 0) : std::max_element(out, out + width) - out;
    correct += guess == index[i % samples];
  }
  return samples == 0 ? 0 : correct * samples / n;  // of the answers to a sample, on average
}

}  // namespace danlu::train
