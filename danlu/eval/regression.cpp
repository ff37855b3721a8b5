#include "danlu/eval/regression.h"

#include <cmath>
#include <limits>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::eval {
namespace {

template <class Measure>
std::vector<double> each(std::span<const double> targets, std::span<const double> values, const Measure& measure) {
  if (targets.size() != values.size()) {
    throw ShapeError("eval.regression", fmt::format("got {} predictions; expected one for each of {} targets",
                                                    values.size(), targets.size()));
  }
  std::vector<double> errors(targets.size());
  for (size_t i = 0; i < targets.size(); ++i) errors[i] = measure(values[i] - targets[i]);
  return errors;
}

}  // namespace

std::vector<double> squared_errors(std::span<const double> targets, std::span<const double> values) {
  return each(targets, values, [](double difference) { return difference * difference; });
}

std::vector<double> absolute_errors(std::span<const double> targets, std::span<const double> values) {
  return each(targets, values, [](double difference) { return std::abs(difference); });
}

double mean_squared_error(std::span<const double> targets, std::span<const double> values) {
  return mean(squared_errors(targets, values));
}

double root_mean_squared_error(std::span<const double> targets, std::span<const double> values) {
  return std::sqrt(mean_squared_error(targets, values));
}

double mean_absolute_error(std::span<const double> targets, std::span<const double> values) {
  return mean(absolute_errors(targets, values));
}

double r2_score(std::span<const double> targets, std::span<const double> values) {
  return r2_score(targets, squared_errors(targets, values), {});
}

double r2_score(std::span<const double> targets, std::span<const double> squared_errors, Counts counts) {
  if (targets.size() < 2) return std::numeric_limits<double>::quiet_NaN();
  const double centre = mean(targets, counts);
  double residual = 0, total = 0;
  for (size_t i = 0; i < targets.size(); ++i) {
    const double count = static_cast<double>(count_of(counts, i));
    residual += count * squared_errors[i];
    total += count * (targets[i] - centre) * (targets[i] - centre);
  }
  if (total == 0) return residual == 0 ? 1.0 : 0.0;
  return 1 - residual / total;
}

}  // namespace danlu::eval
