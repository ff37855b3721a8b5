// What the scores of the folds of a cross-validation say together.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "danlu/eval/bootstrap.h"

namespace danlu::eval {

struct CrossValidationScore {
  int64_t folds = 0;
  double mean = 0;
  double standard_deviation = 0;  // of the folds, over folds - 1
  Interval interval;              // of the mean, by Student's t, cut off at the bounds of the score; NaN for one fold
};

// The least and the largest value that a score can take: {0, 1} for an accuracy.
struct ScoreBounds {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

// Plain k-fold: the folds are taken as independent. Throws DataError if there are none.
CrossValidationScore summarize_folds(std::span<const double> scores, const ScoreBounds& bounds = {}, double confidence = 0.95);

// Repeated k-fold or repeated random splits, whose training sets overlap: the variance of the mean is scaled by 1/folds
// + test/train instead of 1/folds. `test_to_train` is the ratio of the sizes, 1 / (k - 1) for k-fold. One k-fold may be
// treated so too; the plain interval is known to be too narrow.
// Source: Nadeau, Bengio 2003, "Inference for the Generalization Error".
CrossValidationScore summarize_repeated_folds(std::span<const double> scores, double test_to_train,
                                              const ScoreBounds& bounds = {}, double confidence = 0.95);

// The p-quantile of Student's t distribution, 0 < p < 1, degrees >= 1.
double student_t_quantile(double p, double degrees);

}  // namespace danlu::eval
