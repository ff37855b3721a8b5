// How well scores rank one class above the rest: ROC curve, ROC-AUC, precision-recall curve, average precision, KS.
//
// A sample is called positive if its score >= threshold; equal scores are always decided together, so ties count right.
// A measure is NaN where it is undefined: without positives, or (ROC, KS) without negatives.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "danlu/eval/classification.h"
#include "danlu/eval/counts.h"

namespace danlu::eval {

// One point for every distinct score, thresholds falling, after the point (0, 0) at threshold infinity.
struct RocCurve {
  std::vector<double> false_positive_rate, true_positive_rate, thresholds;
};

// One point for every distinct score, thresholds rising, then the point (recall 0, precision 1), which has no
// threshold.
struct PrecisionRecallCurve {
  std::vector<double> precision, recall, thresholds;
};

// Samples sorted by score, once, for everything that asks for thresholds.
class RankedScores {
 public:
  // `positive` is the class that scores should be high for. The score of sample i is scores[i * stride + offset], so
  // that a column of a row-major matrix needs no copy. Throws ShapeError if there is not a score for each label,
  // DataError for NaN.
  RankedScores(std::span<const int64_t> labels, std::span<const double> scores, int64_t positive = 1, size_t stride = 1,
               size_t offset = 0);

  double auc(Counts counts = {}) const;
  // The step-wise area under the precision-recall curve.
  double average_precision(Counts counts = {}) const;
  // Kolmogorov-Smirnov: the largest distance between the score distributions of positives and negatives.
  double ks(Counts counts = {}) const;
  // The largest share of the positives that a threshold finds while it is right about at least that share of the negatives: sensitivity at a fixed
  // specificity. Between two thresholds there is nothing.
  double recall_at_specificity(double specificity, Counts counts = {}) const;
  RocCurve roc_curve() const;
  PrecisionRecallCurve precision_recall_curve() const;

  // visit(threshold, positives, negatives) for every distinct score, falling: how many samples of each kind score at
  // least the threshold.
  template <class Visit>
  void each_threshold(const Visit& visit, Counts counts = {}) const {
    int64_t positives = 0, negatives = 0;
    for (const Item& item : items_) {
      const int64_t count = count_of(counts, item.sample);
      positives += item.positive ? count : 0;
      negatives += item.positive ? 0 : count;
      if (item.last_of_tie) visit(item.score, positives, negatives);
    }
  }
  // Of all samples.
  int64_t positives() const { return positives_; }
  int64_t negatives() const { return static_cast<int64_t>(items_.size()) - positives_; }

 private:
  struct Item {
    double score;
    uint32_t sample;
    bool positive, last_of_tie;
  };
  std::vector<Item> items_;
  int64_t positives_ = 0;
};

// ROC-AUC of each class against the rest, averaged. Classes without samples, or without others, are left out.
class OneVersusRest {
 public:
  // probabilities: N x classes, row-major. Throws as RankedScores does.
  OneVersusRest(std::span<const int64_t> labels, std::span<const double> probabilities, int64_t classes);
  // `average` is macro or weighted (by support).
  double auc(Average average, Counts counts = {}) const;

 private:
  std::vector<int64_t> labels_;
  std::vector<RankedScores> rankings_;
};

}  // namespace danlu::eval
