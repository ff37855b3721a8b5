#include "danlu/eval/curves.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/eval/multilabel.h"
#include "danlu/eval/roc.h"

namespace danlu::eval {
namespace {

constexpr double kTolerance = 5e-4;  // a quarter of a pixel on a curve of 500
constexpr int64_t kScatterPoints = 1000;

double rounded(double value) { return std::round(value * 1e5) / 1e5; }

Json pick(std::span<const double> values, std::span<const size_t> kept) {
  Json picked = Json::array();
  for (const size_t i : kept) picked.push_back(rounded(values[i]));
  return picked;
}

void add_roc(Json& curves, const RankedScores& scores, const std::string& name) {
  if (scores.positives() == 0 || scores.negatives() == 0) return;
  const RocCurve roc = scores.roc_curve();
  const auto roc_kept = simplify(roc.false_positive_rate, roc.true_positive_rate, kTolerance);
  curves["roc"].push_back({{"class", name},
                           {"area", scores.auc()},
                           {"false_positive_rate", pick(roc.false_positive_rate, roc_kept)},
                           {"true_positive_rate", pick(roc.true_positive_rate, roc_kept)}});
}

void add_precision_recall(Json& curves, const RankedScores& scores, const std::string& name) {
  if (scores.positives() == 0 || scores.negatives() == 0) return;
  const PrecisionRecallCurve pr = scores.precision_recall_curve();
  const auto pr_kept = simplify(pr.recall, pr.precision, kTolerance);
  curves["precision_recall"].push_back({{"class", name},
                                        {"area", scores.average_precision()},
                                        {"recall", pick(pr.recall, pr_kept)},
                                        {"precision", pick(pr.precision, pr_kept)}});
}

Json scatter(const Predictions& predictions) {
  Json actual = Json::array(), predicted = Json::array();
  const int64_t shown = std::min(predictions.size(), kScatterPoints);
  for (int64_t i = 0; i < shown; ++i) {
    const auto at = static_cast<size_t>(i * predictions.size() / shown);
    actual.push_back(predictions.targets()[at]);
    predicted.push_back(predictions.values()[at]);
  }
  return {{"actual", std::move(actual)}, {"predicted", std::move(predicted)}};
}

}  // namespace

std::vector<size_t> simplify(std::span<const double> x, std::span<const double> y, double tolerance) {
  if (x.size() != y.size()) throw ShapeError("eval.curves", fmt::format("got {} x and {} y", x.size(), y.size()));
  if (x.empty()) return {};
  std::vector<char> keep(x.size(), 0);
  keep.front() = keep.back() = 1;
  std::vector<std::pair<size_t, size_t>> open = {{0, x.size() - 1}};
  while (!open.empty()) {
    const auto [first, last] = open.back();
    open.pop_back();
    const double dx = x[last] - x[first], dy = y[last] - y[first], length = std::hypot(dx, dy);
    size_t furthest = first;
    double most = tolerance;
    for (size_t i = first + 1; i < last; ++i) {
      const double px = x[i] - x[first], py = y[i] - y[first];
      // From the segment, not from the line through it: a curve may turn back.
      const double along = length == 0 ? 0 : std::clamp((px * dx + py * dy) / (length * length), 0.0, 1.0);
      const double distance = std::hypot(px - along * dx, py - along * dy);
      if (distance > most) most = distance, furthest = i;
    }
    if (furthest == first) continue;
    keep[furthest] = 1;
    open.emplace_back(first, furthest);
    open.emplace_back(furthest, last);
  }
  std::vector<size_t> kept;
  for (size_t i = 0; i < keep.size(); ++i) {
    if (keep[i]) kept.push_back(i);
  }
  return kept;
}

Json curves(const Predictions& p, std::span<const std::string> class_names) {
  if (p.task() == Task::regression) return {{"scatter", scatter(p)}};
  Json result = {{"roc", Json::array()}, {"precision_recall", Json::array()}};
  if (p.task() == Task::multilabel) {
    const LabelRankings rankings(p.labels(), p.probabilities(), p.classes());
    for (size_t k = 0; k < rankings.labels().size(); ++k) add_precision_recall(result, rankings.labels()[k], class_names[k]);
    return result;
  }
  const auto stride = static_cast<size_t>(p.classes());
  for (size_t k = p.task() == Task::binary ? 1 : 0; k < stride; ++k) {
    const RankedScores scores(p.labels(), p.probabilities(), static_cast<int64_t>(k), stride, k);
    add_roc(result, scores, class_names[k]);
    add_precision_recall(result, scores, class_names[k]);
  }
  return result;
}

}  // namespace danlu::eval
