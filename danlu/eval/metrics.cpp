#include "danlu/eval/metrics.h"

#include <cmath>
#include <memory>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/options.h"
#include "danlu/eval/calibration.h"
#include "danlu/eval/classification.h"
#include "danlu/eval/multilabel.h"
#include "danlu/eval/regression.h"
#include "danlu/eval/roc.h"

namespace danlu::eval {
namespace {

// Each function below prepares one metric.

Statistic mean_of(std::vector<double> of_samples) {
  return [values = std::move(of_samples)](Counts counts) { return mean(values, counts); };
}

// Measures of the predicted classes, or labels.
template <class Measure>
Statistic of_classes(const Predictions& p, Measure measure) {
  if (p.task() == Task::multilabel) {
    return [decisions = LabelDecisions(p.labels(), p.predicted(), p.classes()), measure](Counts counts) { return measure(decisions.count(counts)); };
  }
  return
      [&p, measure](Counts counts) { return measure(count_classes(p.labels(), p.predicted(), p.classes(), counts)); };
}

Statistic prepare_accuracy(const Predictions& p) {
  std::vector<double> correct;
  for (size_t i = 0; i < p.labels().size(); ++i) correct.push_back(p.labels()[i] == p.predicted()[i] ? 1 : 0);
  return mean_of(std::move(correct));
}

using ClassMeasure = double (*)(const ClassCounts&);
using PositiveMeasure = double (*)(const ClassCounts&, int64_t);
using AveragedMeasure = double (*)(const ClassCounts&, Average);

template <ClassMeasure kMeasure>
Statistic prepare_overall(const Predictions& p) {
  return of_classes(p, kMeasure);
}

template <PositiveMeasure kMeasure>
Statistic prepare_positive(const Predictions& p) {
  return of_classes(p, [](const ClassCounts& c) { return kMeasure(c, 1); });
}

template <AveragedMeasure kMeasure, Average kAverage>
Statistic prepare_average(const Predictions& p) {
  return of_classes(p, [](const ClassCounts& c) { return kMeasure(c, kAverage); });
}

// Measures of the ranking by the probability of class 1.
template <double (RankedScores::*kMeasure)(Counts) const>
Statistic prepare_ranking(const Predictions& p) {
  return [ranked = RankedScores(p.labels(), p.probabilities(), 1, 2, 1)](Counts counts) {
    return (ranked.*kMeasure)(counts);
  };
}

template <int kPercent>
Statistic prepare_recall_at_specificity(const Predictions& p) {
  return [ranked = RankedScores(p.labels(), p.probabilities(), 1, 2, 1)](Counts counts) {
    return ranked.recall_at_specificity(kPercent / 100.0, counts);
  };
}

template <Average kAverage>
Statistic prepare_one_versus_rest(const Predictions& p) {
  const auto ranked = std::make_shared<const OneVersusRest>(p.labels(), p.probabilities(), p.classes());
  return [ranked](Counts counts) { return ranked->auc(kAverage, counts); };
}

Statistic prepare_auc(const Predictions& p) {
  return p.task() == Task::binary ? prepare_ranking<&RankedScores::auc>(p) : prepare_one_versus_rest<Average::macro>(p);
}

Statistic prepare_log_loss(const Predictions& p) {
  if (p.task() == Task::multilabel) return mean_of(label_log_losses(p.labels(), p.probabilities(), p.classes()));
  return mean_of(log_losses(p.labels(), p.probabilities(), p.classes()));
}

Statistic prepare_brier(const Predictions& p) {
  return mean_of(brier_scores(p.labels(), p.probabilities(), p.classes()));
}

Statistic prepare_ece(const Predictions& p) {
  constexpr int64_t kBins = 10;
  return [f = forecasts(p.labels(), p.probabilities(), p.classes())](Counts counts) {
    return expected_calibration_error(reliability_curve(f, kBins, counts));
  };
}

Statistic prepare_mean_average_precision(const Predictions& p) {
  const auto ranked = std::make_shared<const LabelRankings>(p.labels(), p.probabilities(), p.classes());
  return [ranked](Counts counts) { return ranked->mean_average_precision(counts); };
}

Statistic prepare_hamming_loss(const Predictions& p) { return mean_of(LabelDecisions(p.labels(), p.predicted(), p.classes()).hamming_losses()); }

Statistic prepare_subset_accuracy(const Predictions& p) { return mean_of(LabelDecisions(p.labels(), p.predicted(), p.classes()).subset_hits()); }

Statistic prepare_mse(const Predictions& p) { return mean_of(squared_errors(p.targets(), p.values())); }

Statistic prepare_rmse(const Predictions& p) {
  return [mse = prepare_mse(p)](Counts counts) { return std::sqrt(mse(counts)); };
}

Statistic prepare_mae(const Predictions& p) { return mean_of(absolute_errors(p.targets(), p.values())); }

Statistic prepare_r2(const Predictions& p) {
  return [&p, errors = squared_errors(p.targets(), p.values())](Counts counts) {
    return r2_score(p.targets(), errors, counts);
  };
}

constexpr uint8_t bit(Task task) { return static_cast<uint8_t>(1u << static_cast<unsigned>(task)); }
constexpr uint8_t kBinary = bit(Task::binary), kClasses = kBinary | bit(Task::multiclass),
                  kNumbers = bit(Task::regression), kLabels = bit(Task::multilabel), kCounted = kClasses | kLabels;
constexpr Direction kHigher = Direction::higher_is_better, kLower = Direction::lower_is_better;

constexpr Metric kMetrics[] = {
    {"accuracy", "Accuracy", kHigher, kClasses, prepare_accuracy},
    {"balanced_accuracy", "Balanced accuracy", kHigher, kClasses, prepare_overall<balanced_accuracy>},
    {"mcc", "Matthews correlation", kHigher, kClasses, prepare_overall<matthews_correlation>},
    {"precision", "Precision", kHigher, kBinary, prepare_positive<precision>},
    {"recall", "Recall", kHigher, kBinary, prepare_positive<recall>},
    {"specificity", "Specificity", kHigher, kBinary, prepare_positive<specificity>},
    {"f1", "F1", kHigher, kBinary, prepare_positive<f1>},
    {"precision_macro", "Precision (macro)", kHigher, kCounted, prepare_average<precision, Average::macro>},
    {"precision_micro", "Precision (micro)", kHigher, kCounted, prepare_average<precision, Average::micro>},
    {"precision_weighted", "Precision (weighted)", kHigher, kCounted, prepare_average<precision, Average::weighted>},
    {"recall_macro", "Recall (macro)", kHigher, kCounted, prepare_average<recall, Average::macro>},
    {"recall_micro", "Recall (micro)", kHigher, kCounted, prepare_average<recall, Average::micro>},
    {"recall_weighted", "Recall (weighted)", kHigher, kCounted, prepare_average<recall, Average::weighted>},
    {"f1_macro", "F1 (macro)", kHigher, kCounted, prepare_average<f1, Average::macro>},
    {"f1_micro", "F1 (micro)", kHigher, kCounted, prepare_average<f1, Average::micro>},
    {"f1_weighted", "F1 (weighted)", kHigher, kCounted, prepare_average<f1, Average::weighted>},
    {"specificity_macro", "Specificity (macro)", kHigher, kClasses, prepare_average<specificity, Average::macro>},
    {"auc", "ROC-AUC", kHigher, kClasses, prepare_auc},
    {"auc_weighted", "ROC-AUC (weighted)", kHigher, kClasses, prepare_one_versus_rest<Average::weighted>},
    {"pr_auc", "PR-AUC", kHigher, kBinary, prepare_ranking<&RankedScores::average_precision>},
    {"recall_at_specificity_90", "Recall at specificity 0.90", kHigher, kBinary, prepare_recall_at_specificity<90>},
    {"recall_at_specificity_95", "Recall at specificity 0.95", kHigher, kBinary, prepare_recall_at_specificity<95>},
    {"ks", "KS", kHigher, kBinary, prepare_ranking<&RankedScores::ks>},
    {"log_loss", "Log-loss", kLower, kCounted, prepare_log_loss},
    {"mean_average_precision", "Mean average precision", kHigher, kLabels, prepare_mean_average_precision},
    {"hamming_loss", "Hamming loss", kLower, kLabels, prepare_hamming_loss},
    {"subset_accuracy", "Subset accuracy", kHigher, kLabels, prepare_subset_accuracy},
    {"brier", "Brier score", kLower, kClasses, prepare_brier},
    {"ece", "ECE", kLower, kClasses, prepare_ece},
    {"mse", "MSE", kLower, kNumbers, prepare_mse},
    {"rmse", "RMSE", kLower, kNumbers, prepare_rmse},
    {"mae", "MAE", kLower, kNumbers, prepare_mae},
    {"r2", "R²", kHigher, kNumbers, prepare_r2},
};

}  // namespace

bool Metric::is_better(double a, double b) const {
  if (std::isnan(a) || std::isnan(b)) return !std::isnan(a) && std::isnan(b);
  return direction == Direction::higher_is_better ? a > b : a < b;
}

std::span<const Metric> all_metrics() { return kMetrics; }

const Metric& find_metric(std::string_view name, Task task) {
  std::vector<std::string> of_task;
  for (const Metric& metric : kMetrics) {
    if (metric.has(task) && name == metric.name) return metric;
    if (metric.has(task)) of_task.emplace_back(metric.name);
  }
  std::string hint = did_you_mean(name, of_task);
  if (hint.empty()) hint = fmt::format("; it has {}", fmt::join(of_task, ", "));
  throw ConfigError("eval.metrics",
                    fmt::format("got metric \"{}\"; expected one of a {} task{}", name, task_name(task), hint));
}

std::vector<std::string> default_metrics(Task task) {
  switch (task) {
    case Task::binary:
      return {"accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "auc", "pr_auc",
              "ks",       "log_loss",          "brier",     "ece"};
    case Task::multiclass:
      return {"accuracy", "balanced_accuracy", "f1_macro", "auc", "log_loss", "brier", "ece"};
    case Task::regression:
      return {"rmse", "mae", "r2"};
    case Task::multilabel:
      return {"f1_micro", "f1_macro", "mean_average_precision", "precision_micro", "recall_micro", "hamming_loss", "subset_accuracy", "log_loss"};
  }
  return {};
}

double compute_metric(std::string_view name, const Predictions& predictions) {
  return find_metric(name, predictions.task()).prepare(predictions)({});
}

}  // namespace danlu::eval
