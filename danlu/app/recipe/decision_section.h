// The section `decision` of a recipe: how probabilities become answers. What it asks for is fitted on samples that the weights were not
// fitted to, and goes into the bundle (infer/decision.h), where predict, serve and the evaluation find it.
//
//   decision:
//     calibrate: auto                                   # if it makes held-out samples more probable
//     threshold: cost                                   # or 0.3, f1, youden, {recall: 0.95}, {specificity: 0.95}
//     costs: {false_positive: 1, false_negative: 5}
//     abstain: {accuracy: 0.98}                         # or {coverage: 0.9}
//     folds: 5                                          # 0: the validation split decides
//
// Of several labels a sample each has a threshold of its own, chosen in the same way.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/base/options.h"
#include "danlu/data/task.h"
#include "danlu/engine/tensor/tensor.h"
#include "danlu/eval/predictions.h"
#include "danlu/infer/decision.h"

namespace danlu::app {

struct CostSection {
  double false_positive = 1, false_negative = 1, true_positive = 0, true_negative = 0;
  void describe(OptionVisitor& v);
};

struct AbstainSection {
  std::optional<double> coverage, accuracy;  // at most one
  void describe(OptionVisitor& v);
};

struct DecisionSection {
  std::string calibrate = "none";
  Json threshold = 0.5;
  CostSection costs;
  AbstainSection abstain;
  int64_t folds = 0;
  void describe(OptionVisitor& v);

  bool abstains() const { return abstain.coverage || abstain.accuracy; }
  bool weighs_costs() const { return threshold == "cost"; }
  // Whether there is something to find out from held-out samples.
  bool is_fitted() const { return calibrate != "none" || !threshold.is_number() || abstains(); }
};

// What can be seen in the recipe alone. Throws ConfigError with its place.
void check_decision(const DecisionSection& section, const Locate& locate);
// And with the data: two classes or several labels for a threshold, held-out samples, no class that is called as an abstention is. Throws ConfigError.
void check_decision_fits(const DecisionSection& section, data::TaskKind task, const std::vector<std::string>& class_names, bool has_validation);

// Raw outputs (N, 1) or (N, C) of held-out samples and their classes, or (N C) zeros and ones of labels. `facts`, if given, gets what decision_text() reads.
infer::Decision decide(const DecisionSection& section, data::TaskKind task, const Tensor& outputs, std::span<const int64_t> labels, Json* facts = nullptr);

// Of predictions for a test split, beside the usual metrics, in the form of report.json: "coverage" and "answered_accuracy" where some answers
// are withheld, "mean_cost" where costs are weighed.
Json decision_metrics(const DecisionSection& section, const infer::Decision& decision, const eval::Predictions& predictions, int64_t bootstrap_seed);
std::vector<std::string> decision_metric_names(const DecisionSection& section);

// What was decided, for people; a line each, without line ends. `report` is report.json.
std::vector<std::string> decision_lines(const Json& report);

}  // namespace danlu::app
