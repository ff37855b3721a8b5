// The quality of a model on a data set: what `danlu evaluate` prints and metrics.json holds.
//
//   EvaluationReport report = evaluate(predictions, options, class_names, data_hash);
//   write_json(run / "metrics.json", to_json(report));
//   std::cout << to_text(report);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/base/options.h"
#include "danlu/eval/bootstrap.h"
#include "danlu/eval/calibration.h"
#include "danlu/eval/classification.h"
#include "danlu/eval/metrics.h"
#include "danlu/eval/predictions.h"

namespace danlu::eval {

struct EvaluateOptions {
  std::vector<std::string> metrics;  // empty: default_metrics() of the task
  BootstrapOptions bootstrap;

  void describe(OptionVisitor& v) {
    v.field("metrics", metrics, "names of metrics; if none are given, those that fit the task");
    v.group("bootstrap", bootstrap, "how the intervals are made");
  }
};

struct MetricResult {
  const Metric* metric = nullptr;
  double value = 0;  // NaN: undefined on these data
  Interval interval;
};

struct EvaluationReport {
  Task task = Task::regression;
  int64_t samples = 0;
  std::string data_hash;
  double confidence = 0.95;
  std::vector<MetricResult> metrics;
  // Classes and labels only.
  double threshold = 0.5;  // binary only
  std::vector<double> thresholds, average_precisions;  // of labels only
  std::vector<std::string> class_names;
  std::optional<ClassCounts> classes;
  // Classes only.
  std::optional<ConfusionMatrix> confusion;
  std::vector<ReliabilityBin> reliability;

  // The value of a metric of the report. Throws ConfigError if it is not there.
  double value(std::string_view metric) const;
};

// `class_names` has a name for each class and is empty for regression. `data_hash` says which data these were. Throws
// ConfigError for an unknown metric (find_metric), ShapeError if the names are not as many as the classes.
EvaluationReport evaluate(const Predictions& predictions, const EvaluateOptions& options,
                          std::vector<std::string> class_names = {}, std::string data_hash = "");

// Undefined values are null.
Json to_json(const EvaluationReport& report);
// [{"low", "high", "samples", "confidence", "frequency"}, ...]; null for both means of an empty bin.
Json to_json(std::span<const ReliabilityBin> curve);

// Lines of at most about 100 columns for the usual number of classes; beyond 20 classes the confusion matrix is
// shortened to its most frequent confusions. Ends with a newline.
std::string to_text(const EvaluationReport& report);

}  // namespace danlu::eval
