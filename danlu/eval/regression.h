// Measures of predicted numbers.
#pragma once

#include <span>
#include <vector>

#include "danlu/eval/counts.h"

namespace danlu::eval {

// Of each sample. Throw ShapeError if the sizes differ.
std::vector<double> squared_errors(std::span<const double> targets, std::span<const double> values);
std::vector<double> absolute_errors(std::span<const double> targets, std::span<const double> values);

double mean_squared_error(std::span<const double> targets, std::span<const double> values);
double root_mean_squared_error(std::span<const double> targets, std::span<const double> values);
double mean_absolute_error(std::span<const double> targets, std::span<const double> values);

// R^2, the coefficient of determination: 1 - squared errors / squared distances of the targets from their mean. As in
// scikit-learn, NaN for fewer than two samples; for constant targets 1 if all are met, else 0.
double r2_score(std::span<const double> targets, std::span<const double> values);
// The same from squared_errors(targets, values), for resamples.
double r2_score(std::span<const double> targets, std::span<const double> squared_errors, Counts counts);

}  // namespace danlu::eval
