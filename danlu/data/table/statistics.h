// Order statistics and moments of a column's present values.
#pragma once

#include <span>
#include <vector>

namespace danlu::data {

// The values that are not NaN, ascending.
std::vector<double> sorted_present(std::span<const double> values);

// Linear interpolation between the order statistics (what numpy.quantile does by default); 0 <= q <= 1, at least one
// value.
double quantile_of(std::span<const double> sorted, double q);

struct Moments {
  double mean = 0;
  double deviation = 0;  // biased: divided by the count
  double skewness = 0;   // 0 for a constant
};

// Two passes; NaN values are passed over. All zero if none is left.
Moments moments_of(std::span<const double> values);

}  // namespace danlu::data
