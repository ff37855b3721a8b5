#include "danlu/app/recipe/decision_section.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/eval/abstain.h"
#include "danlu/eval/bootstrap.h"
#include "danlu/eval/recalibrate.h"
#include "danlu/eval/roc.h"
#include "danlu/eval/threshold.h"
#include "danlu/learn/train/objective.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.decision";
const std::vector<std::string> kGoals = {"cost", "f1", "youden"};

// {recall: 0.95}: the key and the share.
std::optional<std::pair<std::string, double>> share_of(const Json& threshold) {
  if (!threshold.is_object() || threshold.size() != 1) return std::nullopt;
  const std::string key = threshold.begin().key();
  const Json& share = threshold.begin().value();
  if ((key != "recall" && key != "specificity") || !share.is_number()) return std::nullopt;
  const double value = share.get<double>();
  if (!(value > 0 && value <= 1)) return std::nullopt;
  return std::pair(key, value);
}

eval::CostMatrix cost_matrix(const CostSection& c) { return {c.true_positive, c.false_positive, c.true_negative, c.false_negative}; }

double choose_threshold(const DecisionSection& section, const eval::RankedScores& scores) {
  if (section.threshold.is_number()) return section.threshold.get<double>();
  if (section.threshold == "cost") return eval::least_cost(scores, cost_matrix(section.costs)).threshold;
  if (section.threshold == "f1") return eval::best_f_beta(scores, 1).threshold;
  if (section.threshold == "youden") return eval::best_youden(scores).threshold;
  const auto [key, share] = share_of(section.threshold).value();
  const bool recall = key == "recall";
  // What is asked for first; of those thresholds, the one that is best for the other class.
  return eval::choose_threshold(scores, [&, share = share](const eval::Decisions& d) {
    const auto found = static_cast<double>(d.true_positives) / std::max<double>(1, static_cast<double>(d.true_positives + d.false_negatives));
    const auto spared = static_cast<double>(d.true_negatives) / std::max<double>(1, static_cast<double>(d.true_negatives + d.false_positives));
    const double kept = recall ? found : spared, other = recall ? spared : found;
    return kept >= share - 1e-12 ? 1 + other : kept - 1;
  }).threshold;
}

// For each label. Of one that no held-out sample has, or all have, nothing is known: one half.
std::vector<double> choose_thresholds(const DecisionSection& section, const Tensor& answers, std::span<const int64_t> labels) {
  const std::vector<double> probabilities(answers.span().begin(), answers.span().end());
  const auto samples = static_cast<size_t>(answers.size(0)), width = static_cast<size_t>(answers.size(1));
  std::vector<double> thresholds;
  std::vector<int64_t> there(samples);
  for (size_t k = 0; k < width; ++k) {
    for (size_t i = 0; i < samples; ++i) there[i] = labels[i * width + k];
    const eval::RankedScores scores(there, probabilities, 1, width, k);
    thresholds.push_back(scores.positives() == 0 || scores.negatives() == 0 ? 0.5 : choose_threshold(section, scores));
  }
  return thresholds;
}

std::span<const double> row_of(std::span<const double> probabilities, int64_t classes, size_t i) {
  return probabilities.subspan(i * static_cast<size_t>(classes), static_cast<size_t>(classes));
}

// Mean over resamples of a share among some samples.
eval::Statistic ratio(std::vector<double> above, std::vector<double> below) {
  return [above = std::move(above), below = std::move(below)](eval::Counts counts) { return eval::mean(above, counts) / eval::mean(below, counts); };
}

Json measure(const eval::Statistic& statistic, int64_t samples, const char* better, int64_t seed) {
  const eval::Interval interval = eval::bootstrap_interval(samples, statistic, {.seed = seed});
  const auto number = [](double x) { return std::isfinite(x) ? Json(x) : Json(nullptr); };
  return {{"value", number(statistic({}))}, {"low", number(interval.low)}, {"high", number(interval.high)}, {"better", better}};
}

}  // namespace

void CostSection::describe(OptionVisitor& v) {
  v.field("false_positive", false_positive, {-1e12, 1e12}, "of the second class answered where the first is true");
  v.field("false_negative", false_negative, {-1e12, 1e12}, "of the first class answered where the second is true");
  v.field("true_positive", true_positive, {-1e12, 1e12}, "of the second class answered rightly; below 0: a gain");
  v.field("true_negative", true_negative, {-1e12, 1e12}, "of the first class answered rightly");
}

void AbstainSection::describe(OptionVisitor& v) {
  v.field("coverage", coverage, {0, 1}, "share of the samples that are to be answered");
  v.field("accuracy", accuracy, {0, 1}, "share of the answers that are to be right; as many are given as that allows");
}

void DecisionSection::describe(OptionVisitor& v) {
  v.choice("calibrate", calibrate, {"none", "auto", "always"},
           "probabilities by Platt's scaling (two classes) or a temperature; auto: if held-out samples become more probable by it");
  v.field("threshold", threshold,
          "of two classes, the second is answered from this probability on, and so is each of several labels: a number, or what it is to be best for: cost, f1, youden, {recall: 0.95}, "
          "{specificity: 0.95}");
  v.group("costs", costs, "what an answer costs, for threshold: cost");
  v.group("abstain", abstain, "when the answer is \"abstain\"");
  v.field("folds", folds, {0, 1000}, "the recipe is trained so many times on parts of the training split, and what each left out decides; 0: the validation split decides");
}

void check_decision(const DecisionSection& section, const Locate& locate) {
  const auto refuse = [&](const char* key, const std::string& message) {
    const std::string place = locate ? locate(key) : "";
    throw ConfigError("app.recipe", fmt::format("{}{}: {}", place.empty() ? "" : place + ": ", key, message));
  };
  const Json& t = section.threshold;
  const bool number = t.is_number() && t.get<double>() > 0 && t.get<double>() < 1;
  const bool goal = t.is_string() && std::find(kGoals.begin(), kGoals.end(), t.get<std::string>()) != kGoals.end();
  if (!number && !goal && !share_of(t)) {
    const std::string hint = t.is_string() ? did_you_mean(t.get<std::string>(), kGoals) : "";
    refuse("decision.threshold", fmt::format("got {}; expected a number between 0 and 1, cost, f1, youden, {{recall: SHARE}} or {{specificity: SHARE}}{}", to_line(t), hint));
  }
  if (section.abstain.coverage && section.abstain.accuracy) refuse("decision.abstain", "got coverage and accuracy; expected one of them");
  if (section.folds == 1) refuse("decision.folds", "got 1; expected at least 2, or 0 for the validation split");
  const CostSection& c = section.costs;
  if (section.weighs_costs() && (c.false_positive <= c.true_negative || c.false_negative <= c.true_positive)) {
    refuse("decision.costs", "expected a wrong answer to cost more than the right one");
  }
}

void check_decision_fits(const DecisionSection& section, data::TaskKind task, const std::vector<std::string>& class_names, bool has_validation) {
  if (!section.is_fitted() && section.threshold == 0.5) return;
  if (task == data::TaskKind::regression) throw ConfigError(kWhere, "decision is for classes; the target of this recipe is a number");
  if (task == data::TaskKind::multitask) throw ConfigError(kWhere, "decision is for one target; this recipe has several");
  if (task == data::TaskKind::multilabel) {
    if (section.calibrate != "none" || section.abstains() || section.weighs_costs() || section.folds > 0) {
      throw ConfigError(kWhere, "decision: of several labels a sample only decision.threshold can be set: a number, f1, youden, {recall: SHARE} or {specificity: SHARE}, by the validation split");
    }
  } else if (section.threshold != 0.5 && task != data::TaskKind::binary) {
    throw ConfigError(kWhere, fmt::format("decision.threshold is for two classes; the target of this recipe has {}", class_names.size()));
  }
  if (section.is_fitted() && section.folds == 0 && !has_validation) {
    throw ConfigError(kWhere, "decision needs samples that the weights are not fitted to; set data.split.validation above 0, or decision.folds to 5");
  }
  if (section.abstains() && std::find(class_names.begin(), class_names.end(), infer::kAbstain) != class_names.end()) {
    throw ConfigError(kWhere, fmt::format("decision.abstain: a class is called \"{}\" itself; give it another name by data.class_names", infer::kAbstain));
  }
}

infer::Decision decide(const DecisionSection& section, data::TaskKind task, const Tensor& outputs, std::span<const int64_t> labels, Json* facts) {
  infer::Decision decision;
  if (section.threshold.is_number()) decision.threshold = section.threshold.get<double>();
  if (!section.is_fitted()) return decision;
  if (task == data::TaskKind::multilabel) {
    decision.thresholds = choose_thresholds(section, train::PredictionObjective(task).answer(outputs), labels);
    if (facts != nullptr) *facts = {{"samples", outputs.size(0)}, {"threshold_for", section.threshold}};
    return decision;
  }
  const int64_t width = outputs.size(1), classes = data::task_outputs(task, 2) == 1 ? 2 : width;
  Json found = {{"samples", labels.size()}};
  if (section.calibrate != "none") {
    const double before = eval::scaled_log_loss(labels, outputs.span(), width, {});
    const double gain = eval::cross_fitted_gain(labels, outputs.span(), width);
    const bool kept = section.calibrate == "always" || gain > 0;
    if (kept) {
      const eval::LogitScale fit = width == 1 ? eval::fit_platt(labels, outputs.span()) : eval::fit_temperature(labels, outputs.span(), width);
      decision.scale = fit.scale;
      decision.offset = fit.offset;
    }
    found["calibration"] = {{"kept", kept}, {"log_loss", before}, {"gain", std::isfinite(gain) ? Json(gain) : Json(nullptr)}};
  }
  const Tensor answers = train::PredictionObjective(task).answer(decision.calibrated(outputs));
  const std::vector<double> probabilities(answers.span().begin(), answers.span().end());
  if (task == data::TaskKind::binary) {
    decision.threshold = choose_threshold(section, eval::RankedScores(labels, probabilities, 1, 2, 1));
    found["threshold_for"] = section.threshold;
  }
  if (section.abstains()) {
    std::vector<double> confidences;
    std::vector<uint8_t> correct;
    for (size_t i = 0; i < labels.size(); ++i) {
      const auto p = row_of(probabilities, classes, i);
      confidences.push_back(decision.confidence(p));
      correct.push_back(decision.choose(p) == labels[i] ? 1 : 0);
    }
    const eval::Abstention chosen = section.abstain.coverage ? eval::abstain_for_coverage(confidences, correct, *section.abstain.coverage)
                                                             : eval::abstain_for_accuracy(confidences, correct, section.abstain.accuracy.value());
    decision.least_confidence = chosen.least_confidence;
    found["abstain"] = {{"coverage", chosen.coverage}, {"accuracy", chosen.accuracy}};
  }
  if (facts != nullptr) *facts = std::move(found);
  return decision;
}

std::vector<std::string> decision_metric_names(const DecisionSection& section) {
  std::vector<std::string> names;
  if (section.abstains()) names = {"coverage", "answered_accuracy"};
  if (section.weighs_costs()) names.emplace_back("mean_cost");
  return names;
}

Json decision_metrics(const DecisionSection& section, const infer::Decision& decision, const eval::Predictions& predictions, int64_t seed) {
  Json metrics = Json::object();
  const auto labels = predictions.labels(), predicted = predictions.predicted();
  if (section.abstains()) {
    std::vector<double> answered, right, all(labels.size(), 1.0);
    for (size_t i = 0; i < labels.size(); ++i) {
      answered.push_back(decision.abstains(row_of(predictions.probabilities(), predictions.classes(), i)) ? 0 : 1);
      right.push_back(labels[i] == predicted[i] ? answered.back() : 0);
    }
    metrics["coverage"] = measure(ratio(answered, std::move(all)), predictions.size(), "higher", seed);
    metrics["answered_accuracy"] = measure(ratio(std::move(right), std::move(answered)), predictions.size(), "higher", seed);
  }
  if (section.weighs_costs()) {
    const CostSection& c = section.costs;
    std::vector<double> costs;
    for (size_t i = 0; i < labels.size(); ++i) {
      const bool positive = labels[i] == 1, called = predicted[i] == 1;
      costs.push_back(positive ? (called ? c.true_positive : c.false_negative) : (called ? c.false_positive : c.true_negative));
    }
    metrics["mean_cost"] = measure([costs = std::move(costs)](eval::Counts counts) { return eval::mean(costs, counts); }, predictions.size(), "lower", seed);
  }
  return metrics;
}

std::vector<std::string> decision_lines(const Json& report) {
  std::vector<std::string> lines;
  if (!report.contains("decision")) return lines;
  const Json &d = report["decision"], &metrics = report.at("metrics"), found = d.value("found", Json::object());
  const std::string held_out = fmt::format("{} held-out samples", found.value("samples", 0));
  if (found.contains("calibration")) {
    const Json& c = found["calibration"];
    lines.push_back(c.at("kept").get<bool>()
                        ? fmt::format("Probabilities are calibrated: logits become {:.3g} z {:+.3g}, fitted on {}.", d.at("scale").get<double>(), d.at("offset").get<double>(), held_out)
                        : fmt::format("Probabilities are as the model gives them: {} become no more probable by calibration.", held_out));
  }
  if (found.contains("threshold_for") && !found["threshold_for"].is_number()) {
    if (d.contains("thresholds")) lines.push_back(fmt::format("Each label has the threshold that is the best for its {} on {}.", to_line(found["threshold_for"]), held_out));
    else lines.push_back(fmt::format("The threshold {:.4g} is the best for {} on {}.", d.at("threshold").get<double>(), to_line(found["threshold_for"]), held_out));
  }
  const auto value = [&](const char* name) { return metrics.contains(name) && metrics[name]["value"].is_number() ? metrics[name]["value"].get<double>() : NAN; };
  if (found.contains("abstain")) {
    lines.push_back(fmt::format("The answer is \"{}\" below a confidence of {:.4g}: {:.1f} % of the test samples are answered, {:.1f} % of those rightly.", infer::kAbstain,
                                d.at("least_confidence").get<double>(), 100 * value("coverage"), 100 * value("answered_accuracy")));
  }
  if (metrics.contains("mean_cost")) lines.push_back(fmt::format("A test sample costs {:.4g} on average.", value("mean_cost")));
  return lines;
}

}  // namespace danlu::app
