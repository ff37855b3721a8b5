// Measures of several labels a sample: what a label is called is decided for each by itself.
//
// Truth and predictions are N x labels zeros and ones, row-major. The averages of classification.h hold for these counts too: micro is
// then over all decisions that a label is there.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "danlu/eval/classification.h"
#include "danlu/eval/counts.h"
#include "danlu/eval/roc.h"

namespace danlu::eval {

// Decisions, without those that are rightly none: of many labels few are there.
class LabelDecisions {
 public:
  // Throws ShapeError if the sizes do not fit.
  LabelDecisions(std::span<const int64_t> truth, std::span<const int64_t> predicted, int64_t labels);

  // For each label: samples that have it, that are said to have it, and both; total: the samples.
  ClassCounts count(Counts counts = {}) const;
  // Of each sample, the share of the labels that are decided wrongly.
  std::vector<double> hamming_losses() const;
  // Of each sample 1 if all of its labels are right and none is missing, else 0.
  std::vector<double> subset_hits() const;

 private:
  struct Decision {
    uint32_t sample, label;
    bool there, said;
  };
  std::vector<Decision> decisions_;
  int64_t samples_, labels_;
};

// Mean over the labels of the average precision of their rankings; labels without a sample are left out. NaN if no label has one.
class LabelRankings {
 public:
  // probabilities: N x labels. Throws as RankedScores does.
  LabelRankings(std::span<const int64_t> truth, std::span<const double> probabilities, int64_t labels);
  double mean_average_precision(Counts counts = {}) const;
  const std::vector<RankedScores>& labels() const { return rankings_; }

 private:
  std::vector<RankedScores> rankings_;
};

// Binary cross-entropy of each sample, mean over its labels; probabilities within 1e-15 of 0 and 1 are taken for these.
std::vector<double> label_log_losses(std::span<const int64_t> truth, std::span<const double> probabilities, int64_t labels);

}  // namespace danlu::eval
