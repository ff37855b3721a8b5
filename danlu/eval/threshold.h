// The score from which on a sample is called positive, chosen on validation data, never on the test set.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "danlu/eval/roc.h"

namespace danlu::eval {

// Samples by truth and decision.
struct Decisions {
  int64_t true_positives = 0, false_positives = 0, true_negatives = 0, false_negatives = 0;
};

struct Threshold {
  double threshold = 0.5;  // positive if score >= threshold
  double value = 0;        // of the goal there
};

// The threshold at which goal(decisions) is largest, among the scores and one just above them all (nothing is
// positive). The highest of equals, which calls fewest samples positive. Throws DataError if there is no sample.
Threshold choose_threshold(const RankedScores& scores, const std::function<double(const Decisions&)>& goal);

// Goals.

// (1 + beta^2) precision recall / (beta^2 precision + recall): recall weighs beta times as much as precision. beta >=
// 0.
Threshold best_f_beta(const RankedScores& scores, double beta);

// What a decision costs; negative is a gain.
struct CostMatrix {
  double true_positive = 0, false_positive = 1, true_negative = 0, false_negative = 1;
};
// `value` is the mean cost of a sample, the least there is.
Threshold least_cost(const RankedScores& scores, const CostMatrix& costs);

// Youden's J: recall + specificity - 1. Throws DataError unless there are positives and negatives.
Threshold best_youden(const RankedScores& scores);

}  // namespace danlu::eval
