#include "danlu/eval/predictions.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::eval {
namespace {

constexpr const char* kWhere = "eval.predictions";
// How far above 1 the rounding of an f32 softmax may lift a probability.
constexpr double kRounding = 1e-5;

void check_not_empty(size_t samples) {
  if (samples == 0) throw DataError(kWhere, "got no samples; expected at least 1");
}

void check_classes(std::span<const int64_t> labels, size_t probabilities, int64_t classes) {
  check_not_empty(labels.size());
  const auto stride = static_cast<size_t>(std::max<int64_t>(classes, 2));
  if (classes < 2 || (probabilities != labels.size() * stride && !(classes == 2 && probabilities == labels.size()))) {
    throw ShapeError(kWhere,
                     fmt::format("got {} probabilities for {} samples of {} classes; expected one for each sample and "
                                 "class, and two classes or more",
                                 probabilities, labels.size(), classes));
  }
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] >= 0 && labels[i] < classes) continue;
    throw DataError(kWhere, fmt::format("got label {} at sample {}; expected 0 to {}", labels[i], i, classes - 1));
  }
}

void check_finite(std::span<const double> numbers, const char* what) {
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (std::isfinite(numbers[i])) continue;
    throw DataError(kWhere, fmt::format("got {} {} at sample {}; expected a finite number", what, numbers[i], i));
  }
}

}  // namespace

const char* task_name(Task task) {
  switch (task) {
    case Task::binary:
      return "binary";
    case Task::multiclass:
      return "multiclass";
    case Task::regression:
      return "regression";
    case Task::multilabel:
      return "multilabel";
  }
  return "?";
}

Predictions Predictions::classification(std::span<const int64_t> labels, std::span<const double> probabilities,
                                        int64_t classes, double threshold) {
  check_classes(labels, probabilities.size(), classes);
  for (size_t i = 0; i < probabilities.size(); ++i) {
    if (probabilities[i] >= 0 && probabilities[i] <= 1 + kRounding) continue;
    throw DataError(kWhere, fmt::format("got probability {} at sample {}; expected 0 to 1", probabilities[i],
                                        i / (probabilities.size() / labels.size())));
  }
  Predictions p;
  p.task_ = classes == 2 ? Task::binary : Task::multiclass;
  p.classes_ = classes;
  p.threshold_ = threshold;
  p.labels_.assign(labels.begin(), labels.end());
  const auto stride = static_cast<size_t>(classes);
  p.probabilities_.reserve(labels.size() * stride);
  if (probabilities.size() == labels.size()) {
    for (const double positive : probabilities)
      p.probabilities_.insert(p.probabilities_.end(), {1 - positive, positive});
  } else {
    p.probabilities_.assign(probabilities.begin(), probabilities.end());
  }
  for (double& probability : p.probabilities_) probability = std::clamp(probability, 0.0, 1.0);
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto row = std::span(p.probabilities_).subspan(i * stride, stride);
    p.predicted_.push_back(classes == 2 ? (row[1] >= threshold ? 1 : 0)
                                        : std::max_element(row.begin(), row.end()) - row.begin());
  }
  return p;
}

Predictions Predictions::classification(std::span<const int64_t> labels, std::span<const float> probabilities,
                                        int64_t classes, double threshold) {
  const std::vector<double> wide(probabilities.begin(), probabilities.end());
  return classification(labels, wide, classes, threshold);
}

Predictions Predictions::multilabel(std::span<const int64_t> truth, std::span<const double> probabilities, std::span<const double> thresholds) {
  check_not_empty(truth.size());
  const size_t classes = thresholds.size();
  if (classes == 0 || truth.size() % classes != 0 || probabilities.size() != truth.size()) {
    throw ShapeError(kWhere, fmt::format("got {} truths and {} probabilities for {} labels; expected one of each for each sample and label", truth.size(), probabilities.size(), classes));
  }
  for (size_t i = 0; i < truth.size(); ++i) {
    if (truth[i] != 0 && truth[i] != 1) throw DataError(kWhere, fmt::format("got {} for label {} of sample {}; expected 0 or 1", truth[i], i % classes, i / classes));
    if (probabilities[i] >= 0 && probabilities[i] <= 1 + kRounding) continue;
    throw DataError(kWhere, fmt::format("got probability {} for label {} of sample {}; expected 0 to 1", probabilities[i], i % classes, i / classes));
  }
  Predictions p;
  p.task_ = Task::multilabel;
  p.classes_ = static_cast<int64_t>(classes);
  p.thresholds_.assign(thresholds.begin(), thresholds.end());
  p.labels_.assign(truth.begin(), truth.end());
  for (size_t i = 0; i < truth.size(); ++i) {
    p.probabilities_.push_back(std::min(probabilities[i], 1.0));
    p.predicted_.push_back(probabilities[i] >= thresholds[i % classes] ? 1 : 0);
  }
  return p;
}

int64_t Predictions::size() const {
  if (task_ == Task::regression) return std::ssize(targets_);
  return task_ == Task::multilabel ? std::ssize(labels_) / classes_ : std::ssize(labels_);
}

Predictions Predictions::regression(std::span<const double> targets, std::span<const double> values) {
  check_not_empty(targets.size());
  if (targets.size() != values.size()) {
    throw ShapeError(kWhere,
                     fmt::format("got {} values; expected one for each of {} targets", values.size(), targets.size()));
  }
  check_finite(targets, "target");
  check_finite(values, "predicted value");
  Predictions p;
  p.targets_.assign(targets.begin(), targets.end());
  p.values_.assign(values.begin(), values.end());
  return p;
}

Predictions Predictions::regression(std::span<const float> targets, std::span<const float> values) {
  const std::vector<double> wide_targets(targets.begin(), targets.end()), wide_values(values.begin(), values.end());
  return regression(wide_targets, wide_values);
}

}  // namespace danlu::eval
