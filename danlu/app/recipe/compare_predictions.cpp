#include "danlu/app/recipe/compare_predictions.h"

#include <algorithm>

#include "danlu/infer/predictor.h"

namespace danlu::app {
namespace {

bool has_metric(const std::string& name, eval::Task task) {
  const auto all = eval::all_metrics();
  return std::any_of(all.begin(), all.end(), [&](const eval::Metric& metric) { return metric.has(task) && name == metric.name; });
}

}  // namespace

eval::Predictions compare_predictions(const DataSource& source, std::span<const int64_t> samples, const infer::BundleConfig& config, const Json& preprocess,
                                      const infer::Predictor& predictor, const Tensor& outputs) {
  if (config.task == data::TaskKind::regression) {
    std::vector<double> values;
    for (const infer::Prediction& p : predictor.decode(outputs)) values.push_back(p.value);
    return eval::Predictions::regression(source.targets(samples), values);
  }
  if (config.task == data::TaskKind::multilabel) {
    const std::vector<double> probabilities(outputs.span().begin(), outputs.span().end());
    return eval::Predictions::multilabel(source.labels(samples, preprocess), probabilities, config.decision.thresholds);
  }
  return eval::Predictions::classification(source.labels(samples, preprocess), outputs.span(),
                                           static_cast<int64_t>(config.class_names.size()), config.decision.threshold);
}

eval::Predictions compare_head(const DataSource& source, std::span<const int64_t> samples, const data::Head& head, const Json& preprocess,
                               std::span<const infer::Prediction> said) {
  std::vector<double> answers;
  for (const infer::Prediction& p : said) {
    const Json& answer = p.targets.at(head.name);
    if (head.task == data::TaskKind::regression) answers.push_back(answer.at("value"));
    for (const std::string& name : head.class_names) answers.push_back(answer.at("probabilities").at(name));
  }
  if (head.task == data::TaskKind::regression) return eval::Predictions::regression(source.targets(samples, head.name), answers);
  return eval::Predictions::classification(source.labels(samples, preprocess, head.name), answers, std::ssize(head.class_names));
}

eval::EvaluateOptions measured_by(const EvaluateSection& section, eval::Task task) {
  eval::EvaluateOptions options = section.report;
  std::vector<std::string>& metrics = options.metrics;
  if (metrics.empty()) metrics = eval::default_metrics(task);
  for (const auto& [gate, bound] : section.gates.items()) {
    if (!has_metric(gate, task)) continue;  // one of the decision's
    if (std::find(metrics.begin(), metrics.end(), gate) == metrics.end()) metrics.push_back(gate);
  }
  return options;
}

}  // namespace danlu::app
