#include "danlu/data/table/statistics.h"

#include <algorithm>
#include <cmath>

namespace danlu::data {

std::vector<double> sorted_present(std::span<const double> values) {
  std::vector<double> present;
  present.reserve(values.size());
  for (const double value : values) {
    if (!std::isnan(value)) present.push_back(value);
  }
  std::sort(present.begin(), present.end());
  return present;
}

double quantile_of(std::span<const double> sorted, double q) {
  const double position = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(position);
  const double fraction = position - static_cast<double>(below);
  if (fraction == 0) return sorted[below];
  return sorted[below] + fraction * (sorted[below + 1] - sorted[below]);
}

Moments moments_of(std::span<const double> values) {
  double sum = 0, count = 0;
  for (const double value : values) {
    if (!std::isnan(value)) sum += value, ++count;
  }
  if (count == 0) return {};
  Moments moments{sum / count};
  double second = 0, third = 0;
  for (const double value : values) {
    if (std::isnan(value)) continue;
    const double d = value - moments.mean;
    second += d * d;
    third += d * d * d;
  }
  moments.deviation = std::sqrt(second / count);
  // A deviation at the level of rounding is that of a constant.
  if (moments.deviation <= 1e-15 * std::abs(moments.mean)) moments.deviation = 0;
  if (moments.deviation > 0)
    moments.skewness = third / count / (moments.deviation * moments.deviation * moments.deviation);
  return moments;
}

}  // namespace danlu::data
