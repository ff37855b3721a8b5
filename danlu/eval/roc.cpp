#include "danlu/eval/roc.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::eval {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

double ratio(int64_t part, int64_t whole) { return static_cast<double>(part) / static_cast<double>(whole); }

}  // namespace

RankedScores::RankedScores(std::span<const int64_t> labels, std::span<const double> scores, int64_t positive,
                           size_t stride, size_t offset) {
  if (scores.size() != labels.size() * stride || offset >= stride || labels.size() > UINT32_MAX) {
    throw ShapeError("eval.roc", fmt::format("got {} scores; expected {} for each of {} labels (at most {})",
                                             scores.size(), stride, labels.size(), UINT32_MAX));
  }
  items_.reserve(labels.size());
  for (size_t i = 0; i < labels.size(); ++i) {
    const double score = scores[i * stride + offset];
    if (std::isnan(score))
      throw DataError("eval.roc", fmt::format("got NaN as the score of sample {}; expected a number", i));
    items_.push_back({score, static_cast<uint32_t>(i), labels[i] == positive, true});
    positives_ += labels[i] == positive ? 1 : 0;
  }
  std::sort(items_.begin(), items_.end(),
            [](const Item& a, const Item& b) { return a.score != b.score ? a.score > b.score : a.sample < b.sample; });
  for (size_t i = 0; i + 1 < items_.size(); ++i) items_[i].last_of_tie = items_[i].score != items_[i + 1].score;
}

double RankedScores::auc(Counts counts) const {
  // Trapezoids between thresholds, in units of half a (positive, negative) pair: whole numbers, exact below 2^53.
  double area = 0;
  int64_t last_positives = 0, last_negatives = 0;
  each_threshold(
      [&](double, int64_t positives, int64_t negatives) {
        area += static_cast<double>(negatives - last_negatives) * static_cast<double>(positives + last_positives);
        last_positives = positives;
        last_negatives = negatives;
      },
      counts);
  if (last_positives == 0 || last_negatives == 0) return kUndefined;
  return area / (2.0 * static_cast<double>(last_positives) * static_cast<double>(last_negatives));
}

double RankedScores::average_precision(Counts counts) const {
  double sum = 0;
  int64_t last_positives = 0;
  each_threshold(
      [&](double, int64_t positives, int64_t negatives) {
        if (positives == last_positives) return;
        sum += static_cast<double>(positives - last_positives) * ratio(positives, positives + negatives);
        last_positives = positives;
      },
      counts);
  return last_positives == 0 ? kUndefined : sum / static_cast<double>(last_positives);
}

double RankedScores::ks(Counts counts) const {
  int64_t all_positives = 0, all_negatives = 0;
  for (const Item& item : items_) (item.positive ? all_positives : all_negatives) += count_of(counts, item.sample);
  if (all_positives == 0 || all_negatives == 0) return kUndefined;
  double largest = 0;
  each_threshold(
      [&](double, int64_t positives, int64_t negatives) {
        largest = std::max(largest, std::abs(ratio(positives, all_positives) - ratio(negatives, all_negatives)));
      },
      counts);
  return largest;
}

double RankedScores::recall_at_specificity(double specificity, Counts counts) const {
  int64_t all_positives = 0, all_negatives = 0;
  for (const Item& item : items_) (item.positive ? all_positives : all_negatives) += count_of(counts, item.sample);
  if (all_positives == 0 || all_negatives == 0) return kUndefined;
  const double allowed = (1 - specificity) * static_cast<double>(all_negatives) + 1e-9;  // wrong about no more negatives than that
  double best = 0;
  each_threshold(
      [&](double, int64_t positives, int64_t negatives) {
        if (static_cast<double>(negatives) <= allowed) best = ratio(positives, all_positives);
      },
      counts);
  return best;
}

RocCurve RankedScores::roc_curve() const {
  RocCurve curve{{0}, {0}, {std::numeric_limits<double>::infinity()}};
  each_threshold([&](double threshold, int64_t positives, int64_t negatives) {
    curve.false_positive_rate.push_back(ratio(negatives, this->negatives()));
    curve.true_positive_rate.push_back(ratio(positives, this->positives()));
    curve.thresholds.push_back(threshold);
  });
  return curve;
}

PrecisionRecallCurve RankedScores::precision_recall_curve() const {
  PrecisionRecallCurve curve{{1}, {0}, {}};
  each_threshold([&](double threshold, int64_t positives, int64_t negatives) {
    curve.precision.push_back(ratio(positives, positives + negatives));
    curve.recall.push_back(ratio(positives, this->positives()));
    curve.thresholds.push_back(threshold);
  });
  std::reverse(curve.precision.begin(), curve.precision.end());
  std::reverse(curve.recall.begin(), curve.recall.end());
  std::reverse(curve.thresholds.begin(), curve.thresholds.end());
  return curve;
}

OneVersusRest::OneVersusRest(std::span<const int64_t> labels, std::span<const double> probabilities, int64_t classes)
    : labels_(labels.begin(), labels.end()) {
  const auto stride = static_cast<size_t>(classes);
  rankings_.reserve(stride);
  for (size_t k = 0; k < stride; ++k) rankings_.emplace_back(labels, probabilities, static_cast<int64_t>(k), stride, k);
}

double OneVersusRest::auc(Average average, Counts counts) const {
  std::vector<double> support(rankings_.size());
  for (size_t i = 0; i < labels_.size(); ++i) {
    support[static_cast<size_t>(labels_[i])] += static_cast<double>(count_of(counts, i));
  }
  double sum = 0, weights = 0;
  for (size_t k = 0; k < rankings_.size(); ++k) {
    const double auc = rankings_[k].auc(counts);
    if (std::isnan(auc)) continue;
    const double weight = average == Average::weighted ? support[k] : 1.0;
    sum += weight * auc;
    weights += weight;
  }
  return sum / weights;
}

}  // namespace danlu::eval
