#include "danlu/learn/train/pseudo_label_objective.h"

#include <algorithm>
#include <utility>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/dataset/unlabelled_dataset.h"
#include "danlu/engine/ops/elementwise.h"
#include "danlu/engine/ops/movement.h"

namespace danlu::train {
namespace {

// Rows [begin, end) of the answers of every member to N samples (objective.h).
Tensor rows_of_members(const Tensor& outputs, int64_t samples, int64_t begin, int64_t end) {
  if (begin == 0 && end == samples) return outputs;
  std::vector<Tensor> parts;
  for (int64_t first = 0; first < outputs.size(0); first += samples) parts.push_back(slice(outputs, 0, first + begin, first + end));
  return parts.size() == 1 ? parts.front() : concat(parts, 0);
}

// The most probable class of each sample, by the mean over the members.
Tensor most_probable(const Tensor& probabilities, int64_t samples) {
  const int64_t classes = probabilities.size(1);
  Tensor labels = Tensor::empty({samples}, Dtype::i64);
  for (int64_t i = 0; i < samples; ++i) {
    std::vector<float> sum(static_cast<size_t>(classes), 0.0f);
    for (int64_t row = i; row < probabilities.size(0); row += samples) {
      for (int64_t c = 0; c < classes; ++c) sum[static_cast<size_t>(c)] += probabilities.data()[row * classes + c];
    }
    labels.mutable_data<int64_t>()[i] = std::max_element(sum.begin(), sum.end()) - sum.begin();
  }
  return labels;
}

}  // namespace

void PseudoLabelOptions::describe(OptionVisitor& v) {
  v.field("weight", weight, {0, 1e6}, "of the loss of unlabelled rows in the end, beside that of labelled ones; 0: rows without a label are left out");
  v.field("rows", rows, {1, 1000}, "unlabelled rows that are looked at beside each labelled one");
  v.field("begin", begin, {0, 1e9}, "epochs that learn from labelled rows alone; a recipe's default: a quarter of them");
  v.field("full", full, {0, 1e9}, "epochs after which the weight has grown to its end; a recipe's default: half of them");
}

PseudoLabelObjective::PseudoLabelObjective(PredictionObjective prediction, const PseudoLabelOptions& options)
    : prediction_(std::move(prediction)), options_(options) {
  if (!data::has_classes(prediction_.task())) {
    throw ConfigError("learn.train", fmt::format("train.pseudo_labels: got a {} task; expected one of classes", data::name_of(prediction_.task())));
  }
  if (options.full < options.begin) {
    throw ConfigError("learn.train", fmt::format("train.pseudo_labels.full: got {}; expected at least begin, {}", options.full, options.begin));
  }
}

double PseudoLabelObjective::alpha(int64_t epoch) const {
  const auto t = static_cast<double>(epoch);
  if (t < options_.begin) return 0;
  return t >= options_.full ? options_.weight : options_.weight * (t - options_.begin) / (options_.full - options_.begin);
}

int64_t PseudoLabelObjective::terms(const data::Batch& batch) const {
  const auto labels = batch.y.span<int64_t>();
  return std::find(labels.begin(), labels.end(), data::kUnlabelled) - labels.begin();
}

Objective::Outcome PseudoLabelObjective::evaluate(nn::Module& model, const data::Batch& batch) const {
  const int64_t samples = batch.size(), labelled = terms(batch);
  const Tensor outputs = model(batch.x);
  Outcome outcome{Tensor::zeros({}), 0};
  if (labelled > 0) {
    const Tensor known = rows_of_members(outputs, samples, 0, labelled), y = batch.y.rows(0, labelled);
    outcome = {prediction_.loss(known, y), prediction_.num_correct(known, y)};
  }
  const double weight = alpha(batch.epoch);
  if (labelled == samples || weight == 0) return outcome;
  const Tensor unknown = rows_of_members(outputs, samples, labelled, samples);
  const Tensor guessed = most_probable(prediction_.answer(unknown), samples - labelled);
  outcome.loss = outcome.loss + prediction_.loss(unknown, guessed) * static_cast<float>(weight);
  return outcome;
}

}  // namespace danlu::train
