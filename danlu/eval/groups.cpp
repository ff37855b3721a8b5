#include "danlu/eval/groups.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/eval/measure_json.h"
#include "danlu/eval/roc.h"
#include "danlu/eval/text_table.h"

namespace danlu::eval {
namespace {

double ratio(double part, double whole) { return whole > 0 ? part / whole : NAN; }

GroupMeasures measure(const std::string& name, const Predictions& p, const std::vector<size_t>& samples) {
  std::vector<int64_t> labels;
  std::vector<double> scores;
  double positives = 0, selected = 0, found = 0, wrong = 0, right = 0, sum = 0;
  for (const size_t i : samples) {
    const bool positive = p.labels()[i] == 1, called = p.predicted()[i] == 1;
    labels.push_back(p.labels()[i]);
    scores.push_back(p.probabilities()[2 * i + 1]);
    positives += positive, selected += called, found += positive && called, wrong += !positive && called, right += positive == called;
    sum += scores.back();
  }
  const auto count = static_cast<double>(samples.size());
  return {.name = name, .samples = static_cast<int64_t>(samples.size()), .base_rate = positives / count, .selection_rate = selected / count,
          .recall = ratio(found, positives), .false_positive_rate = ratio(wrong, count - positives), .accuracy = right / count,
          .auc = RankedScores(labels, scores).auc(), .mean_probability = sum / count};
}

double gap(const std::vector<GroupMeasures>& groups, double GroupMeasures::* rate) {
  double low = HUGE_VAL, high = -HUGE_VAL;
  for (const GroupMeasures& group : groups) {
    if (group.samples < kLeastGroup || std::isnan(group.*rate)) continue;
    low = std::min(low, group.*rate);
    high = std::max(high, group.*rate);
  }
  return high >= low ? high - low : NAN;
}

std::string number(double value) { return std::isfinite(value) ? fmt::format("{:.3f}", value) : "undefined"; }

}  // namespace

GroupReport compare_groups(const Predictions& predictions, std::span<const std::string> groups) {
  if (predictions.task() != Task::binary) throw ConfigError("eval.groups", "groups are compared for two classes; got another task");
  if (static_cast<int64_t>(groups.size()) != predictions.size()) {
    throw ShapeError("eval.groups", fmt::format("got groups of {} samples; expected {}", groups.size(), predictions.size()));
  }
  std::map<std::string, std::vector<size_t>> members;
  for (size_t i = 0; i < groups.size(); ++i) members[groups[i]].push_back(i);
  GroupReport report;
  for (const auto& [name, samples] : members) report.groups.push_back(measure(name, predictions, samples));
  std::stable_sort(report.groups.begin(), report.groups.end(), [](const auto& a, const auto& b) { return a.samples > b.samples; });
  report.selection_rate_gap = gap(report.groups, &GroupMeasures::selection_rate);
  report.recall_gap = gap(report.groups, &GroupMeasures::recall);
  report.false_positive_rate_gap = gap(report.groups, &GroupMeasures::false_positive_rate);
  return report;
}

Json to_json(const GroupReport& report) {
  Json groups = Json::array();
  for (const GroupMeasures& g : report.groups) {
    groups.push_back({{"name", g.name}, {"samples", g.samples}, {"base_rate", number_or_null(g.base_rate)}, {"selection_rate", number_or_null(g.selection_rate)},
                      {"recall", number_or_null(g.recall)}, {"false_positive_rate", number_or_null(g.false_positive_rate)}, {"accuracy", number_or_null(g.accuracy)},
                      {"auc", number_or_null(g.auc)}, {"mean_probability", number_or_null(g.mean_probability)}});
  }
  return {{"groups", std::move(groups)},
          {"selection_rate_gap", number_or_null(report.selection_rate_gap)},
          {"recall_gap", number_or_null(report.recall_gap)},
          {"false_positive_rate_gap", number_or_null(report.false_positive_rate_gap)}};
}

std::string to_text(const GroupReport& report) {
  using Align = TextTable::Align;
  TextTable table({Align::left, Align::right});
  table.add_row({"group", "samples", "positive", "predicted", "recall", "false positives", "accuracy", "AUC"});
  for (const GroupMeasures& g : report.groups) {
    table.add_row({display_text(g.name), std::to_string(g.samples), number(g.base_rate), number(g.selection_rate), number(g.recall), number(g.false_positive_rate),
                   number(g.accuracy), number(g.auc)});
  }
  table.add_row({fmt::format("gap ({} or more)", kLeastGroup), "", "", number(report.selection_rate_gap), number(report.recall_gap), number(report.false_positive_rate_gap)});
  return table.str();
}

}  // namespace danlu::eval
