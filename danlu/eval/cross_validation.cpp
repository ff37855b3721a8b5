#include "danlu/eval/cross_validation.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "danlu/base/error.h"

namespace danlu::eval {
namespace {

// The regularised incomplete beta function I_x(a, b) by its continued fraction, for x < (a + 1) / (a + b + 2).
// Source: DiDonato, Morris 1992; evaluated by Lentz's method.
double incomplete_beta_fraction(double x, double a, double b) {
  constexpr double kTiny = 1e-300, kEpsilon = 1e-16;
  constexpr int kMaxSteps = 500;
  const auto away_from_zero = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1)), fraction = d;
  for (int m = 1; m <= kMaxSteps; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_zero(1 + even * d);
    c = away_from_zero(1 + even / c);
    fraction *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_zero(1 + odd * d);
    c = away_from_zero(1 + odd / c);
    fraction *= d * c;
    if (std::abs(d * c - 1) < kEpsilon) break;
  }
  const double log_front = std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x);
  return std::exp(log_front) * fraction / a;
}

double incomplete_beta(double x, double a, double b) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  return x < (a + 1) / (a + b + 2) ? incomplete_beta_fraction(x, a, b) : 1 - incomplete_beta_fraction(1 - x, b, a);
}

// P(T > t) for t >= 0.
double student_t_tail(double t, double degrees) {
  return 0.5 * incomplete_beta(degrees / (degrees + t * t), degrees / 2, 0.5);
}

CrossValidationScore summarize(std::span<const double> scores, double test_to_train, const ScoreBounds& bounds, double confidence) {
  if (scores.empty()) throw DataError("eval.cross_validation", "got no scores; expected one for each fold");
  CrossValidationScore result;
  result.folds = static_cast<int64_t>(scores.size());
  const double folds = static_cast<double>(result.folds);
  result.mean = mean(scores);
  double squares = 0;
  for (const double score : scores) squares += (score - result.mean) * (score - result.mean);
  if (result.folds == 1) {
    result.standard_deviation = std::numeric_limits<double>::quiet_NaN();
    result.interval = {result.standard_deviation, result.standard_deviation};
    return result;
  }
  const double variance = squares / (folds - 1);
  result.standard_deviation = std::sqrt(variance);
  const double error = std::sqrt((1 / folds + test_to_train) * variance);
  const double t = student_t_quantile(0.5 + confidence / 2, folds - 1);
  result.interval = {std::max(result.mean - t * error, bounds.low), std::min(result.mean + t * error, bounds.high)};
  return result;
}

}  // namespace

CrossValidationScore summarize_folds(std::span<const double> scores, const ScoreBounds& bounds, double confidence) {
  return summarize(scores, 0, bounds, confidence);
}

CrossValidationScore summarize_repeated_folds(std::span<const double> scores, double test_to_train, const ScoreBounds& bounds,
                                              double confidence) {
  return summarize(scores, test_to_train, bounds, confidence);
}

double student_t_quantile(double p, double degrees) {
  if (!(p > 0 && p < 1 && degrees >= 1)) {
    throw ConfigError("eval.cross_validation",
                      "got a probability or degrees of freedom out of range; expected 0 < p < 1, >= 1");
  }
  if (p == 0.5) return 0;
  const double tail = p < 0.5 ? p : 1 - p;
  double low = 0, high = 1;
  while (student_t_tail(high, degrees) > tail) high *= 2;
  for (int step = 0; step < 200 && high - low > 1e-15 * high; ++step) {  // bisection: the tail falls steadily
    const double middle = (low + high) / 2;
    (student_t_tail(middle, degrees) > tail ? low : high) = middle;
  }
  const double t = (low + high) / 2;
  return p < 0.5 ? -t : t;
}

}  // namespace danlu::eval
