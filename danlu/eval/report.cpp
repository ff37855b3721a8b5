#include "danlu/eval/report.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/eval/measure_json.h"
#include "danlu/eval/multilabel.h"
#include "danlu/eval/text_table.h"

namespace danlu::eval {
namespace {

// More would not fit a terminal.
constexpr int64_t kMaxMatrixClasses = 20;
constexpr size_t kMaxConfusions = 10;

using Align = TextTable::Align;

std::string number(double value) {
  if (std::isnan(value)) return "undefined";
  const double size = std::abs(value);
  return size != 0 && (size >= 1e5 || size < 1e-4) ? fmt::format("{:.4g}", value) : fmt::format("{:.4f}", value);
}

std::string metrics_text(const EvaluationReport& report) {
  TextTable table({Align::left, Align::right, Align::right, Align::left});
  table.add_row({"metric", "value", fmt::format("{:g}% interval", 100 * report.confidence), "better"});
  for (const MetricResult& m : report.metrics) {
    const bool known = !std::isnan(m.interval.low);
    table.add_row({m.metric->display, number(m.value),
                   known ? fmt::format("{} to {}", number(m.interval.low), number(m.interval.high)) : "undefined",
                   m.metric->direction == Direction::higher_is_better ? "higher" : "lower"});
  }
  return table.str();
}

std::string classes_text(const EvaluationReport& report) {
  TextTable table({Align::left, Align::right});
  const bool labels = report.task == Task::multilabel;
  table.add_row({labels ? "label" : "class", "precision", "recall", "F1", labels ? "avg. prec." : "specificity", "samples", "predicted"});
  const ClassCounts& c = *report.classes;
  for (int64_t k = 0; k < c.classes(); ++k) {
    const auto i = static_cast<size_t>(k);
    table.add_row({display_text(report.class_names[i]), number(precision(c, k)), number(recall(c, k)), number(f1(c, k)),
                   number(labels ? report.average_precisions[i] : specificity(c, k)), std::to_string(c.support[i]), std::to_string(c.predicted[i])});
  }
  return table.str();
}

std::string matrix_text(const EvaluationReport& report) {
  TextTable table({Align::left, Align::right});
  std::vector<std::string> header{"actual \\ predicted"};
  for (const std::string& name : report.class_names) header.push_back(display_text(name));
  table.add_row(std::move(header));
  for (int64_t actual = 0; actual < report.confusion->classes(); ++actual) {
    std::vector<std::string> row{display_text(report.class_names[static_cast<size_t>(actual)])};
    for (const int64_t count : report.confusion->row(actual)) row.push_back(std::to_string(count));
    table.add_row(std::move(row));
  }
  return table.str();
}

std::string confusions_text(const EvaluationReport& report) {
  struct Confusion {
    int64_t count, actual, predicted;
  };
  std::vector<Confusion> confusions;
  for (int64_t actual = 0; actual < report.confusion->classes(); ++actual) {
    for (int64_t predicted = 0; predicted < report.confusion->classes(); ++predicted) {
      const int64_t count = report.confusion->at(actual, predicted);
      if (count > 0 && actual != predicted) confusions.push_back({count, actual, predicted});
    }
  }
  std::stable_sort(confusions.begin(), confusions.end(), [](auto& a, auto& b) { return a.count > b.count; });
  confusions.resize(std::min(confusions.size(), kMaxConfusions));
  TextTable table({Align::right, Align::left});
  table.add_row({"samples", "actual", "predicted"});
  for (const Confusion& c : confusions) {
    table.add_row({std::to_string(c.count), display_text(report.class_names[static_cast<size_t>(c.actual)]),
                   display_text(report.class_names[static_cast<size_t>(c.predicted)])});
  }
  return table.str();
}

Json classes_json(const EvaluationReport& report) {
  Json classes = Json::array();
  const ClassCounts& c = *report.classes;
  for (int64_t k = 0; k < c.classes(); ++k) {
    const auto i = static_cast<size_t>(k);
    classes.push_back({{"name", report.class_names[i]},
                       {"precision", precision(c, k)},
                       {"recall", recall(c, k)},
                       {"f1", f1(c, k)},
                       {"specificity", specificity(c, k)},
                       {"samples", c.support[i]},
                       {"predicted", c.predicted[i]}});
    if (report.task != Task::multilabel) continue;
    classes.back()["average_precision"] = number_or_null(report.average_precisions[i]);
    classes.back()["threshold"] = report.thresholds[i];
  }
  return classes;
}

Json confusion_json(const ConfusionMatrix& confusion) {
  Json rows = Json::array();
  for (int64_t actual = 0; actual < confusion.classes(); ++actual) rows.push_back(confusion.row(actual));
  return rows;
}

}  // namespace

Json to_json(std::span<const ReliabilityBin> curve) {
  Json bins = Json::array();
  for (const ReliabilityBin& bin : curve) {
    const bool empty = bin.count == 0;
    bins.push_back({{"low", bin.low},
                    {"high", bin.high},
                    {"samples", bin.count},
                    {"confidence", empty ? Json(nullptr) : Json(bin.confidence)},
                    {"frequency", empty ? Json(nullptr) : Json(bin.frequency)}});
  }
  return bins;
}

double EvaluationReport::value(std::string_view name) const {
  for (const MetricResult& m : metrics) {
    if (name == m.metric->name) return m.value;
  }
  throw ConfigError("eval.report", fmt::format("got metric \"{}\"; expected one that was evaluated", name));
}

EvaluationReport evaluate(const Predictions& predictions, const EvaluateOptions& options,
                          std::vector<std::string> class_names, std::string data_hash) {
  if (static_cast<int64_t>(class_names.size()) != predictions.classes()) {
    throw ShapeError("eval.report",
                     fmt::format("got {} class names; expected {}", class_names.size(), predictions.classes()));
  }
  EvaluationReport report;
  report.task = predictions.task();
  report.samples = predictions.size();
  report.data_hash = std::move(data_hash);
  report.confidence = options.bootstrap.confidence;

  std::vector<Statistic> statistics;
  for (const std::string& name : options.metrics.empty() ? default_metrics(report.task) : options.metrics) {
    const Metric& metric = find_metric(name, report.task);
    statistics.push_back(metric.prepare(predictions));
    report.metrics.push_back({&metric, statistics.back()({}), {}});
  }
  const bool labels = report.task == Task::multilabel;
  const auto strata = labels ? std::span<const int64_t>() : predictions.labels();
  const auto intervals = bootstrap_intervals(report.samples, statistics, options.bootstrap, strata);
  for (size_t i = 0; i < intervals.size(); ++i) report.metrics[i].interval = intervals[i];

  if (report.task == Task::regression) return report;
  report.class_names = std::move(class_names);
  if (labels) {
    report.thresholds.assign(predictions.thresholds().begin(), predictions.thresholds().end());
    const LabelRankings rankings(predictions.labels(), predictions.probabilities(), predictions.classes());
    for (const RankedScores& ranking : rankings.labels()) report.average_precisions.push_back(ranking.average_precision());
    report.classes = LabelDecisions(predictions.labels(), predictions.predicted(), predictions.classes()).count();
    return report;
  }
  report.threshold = predictions.threshold();
  report.classes = count_classes(predictions.labels(), predictions.predicted(), predictions.classes());
  report.confusion.emplace(predictions.labels(), predictions.predicted(), predictions.classes());
  report.reliability =
      reliability_curve(forecasts(predictions.labels(), predictions.probabilities(), predictions.classes()));
  return report;
}

Json to_json(const EvaluationReport& report) {
  Json json = {{"task", task_name(report.task)}, {"samples", report.samples}};
  if (!report.data_hash.empty()) json["data_hash"] = report.data_hash;
  if (report.task == Task::binary) json["threshold"] = report.threshold;
  json["confidence"] = report.confidence;
  Json& metrics = json["metrics"] = Json::object();
  for (const MetricResult& m : report.metrics) {
    metrics[m.metric->name] = {{"value", number_or_null(m.value)},
                               {"low", number_or_null(m.interval.low)},
                               {"high", number_or_null(m.interval.high)},
                               {"better", m.metric->direction == Direction::higher_is_better ? "higher" : "lower"}};
  }
  if (report.task == Task::regression) return json;
  json["classes"] = classes_json(report);
  if (report.task == Task::multilabel) return json;
  json["confusion"] = confusion_json(*report.confusion);
  json["reliability"] = to_json(std::span<const ReliabilityBin>(report.reliability));
  return json;
}

std::string to_text(const EvaluationReport& report) {
  std::string text = fmt::format("{} samples", report.samples);
  if (report.task != Task::regression) text += fmt::format(", {} {}", report.class_names.size(), report.task == Task::multilabel ? "labels" : "classes");
  if (report.task == Task::binary) {
    text += fmt::format("; \"{}\" from probability {:.4g}", display_text(report.class_names[1]), report.threshold);
  }
  if (!report.data_hash.empty()) text += fmt::format("; data {}", report.data_hash);
  text += "\n\n" + metrics_text(report);
  if (report.task == Task::regression) return text;
  text += "\n" + classes_text(report);
  if (report.task == Task::multilabel) return text;
  text += "\n" + (report.confusion->classes() <= kMaxMatrixClasses ? matrix_text(report) : confusions_text(report));
  return text;
}

}  // namespace danlu::eval
