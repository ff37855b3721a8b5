#include "danlu/learn/tune/parzen.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace danlu::tune {
namespace {

constexpr double kScott = 0.2;          // times n^(-1/(d+4)): Scott's rule on the unit interval
constexpr double kMostKernels = 100;    // the bandwidth is never below 1 / (1 + min(n, this)), "magic clip"
constexpr double kPriorCenter = 0.5;
constexpr double kLeast = 1e-300;       // where a density would be 0 and its logarithm no number

double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

// Mass of the normal distribution between a and b, the small differences in the far tails kept.
double normal_mass(double a, double b) { return a > 0 ? normal_cdf(-a) - normal_cdf(-b) : normal_cdf(b) - normal_cdf(a); }

double normal_density(double z) { return std::exp(-0.5 * z * z) / std::sqrt(2 * std::numbers::pi); }

// Of a normal distribution cut off at 0 and 1, by rejection; `mu` lies within, so that at least every third draw or so is taken.
double truncated_normal(double mu, double sigma, Rng& rng) {
  for (;;) {
    const double u = mu + sigma * rng.normal();
    if (u >= 0 && u <= 1) return u;
  }
}

// The place of a value: its own, or the middle of its cell.
double place(const Parameter& parameter, double value) { return parameter.to_unit(value); }

}  // namespace

ParzenEstimator::ParzenEstimator(const Space& space, std::span<const Point> points, std::span<const double> weights) : space_(space) {
  const auto n = static_cast<double>(points.size());
  const double scott = kScott * std::pow(std::max(n, 1.0), -1.0 / (static_cast<double>(space.size()) + 4));
  sigma_ = std::clamp(scott, 1 / std::min(kMostKernels, 2 + n), 1.0);
  double total = 1;
  for (const double weight : weights) total += weight;
  for (size_t i = 0; i < points.size(); ++i) kernels_.push_back({std::log(weights[i] / total), weights[i] / total, points[i]});
  kernels_.push_back({std::log(1 / total), 1 / total, {}});
}

Point ParzenEstimator::sample(Rng& rng) const {
  const auto pick = [&](double u, const auto& weight_of, int64_t n) {
    int64_t i = 0;
    for (; i + 1 < n && u >= weight_of(i); ++i) u -= weight_of(i);
    return i;
  };
  const Kernel& kernel = kernels_[static_cast<size_t>(
      pick(rng.uniform(), [&](int64_t i) { return kernels_[static_cast<size_t>(i)].weight; }, static_cast<int64_t>(kernels_.size())))];
  Point point;
  for (size_t p = 0; p < space_.size(); ++p) {
    const Parameter& parameter = space_[p];
    if (parameter.kind() == Parameter::Kind::choice) {
      const auto weight = [&](int64_t i) { return std::exp(log_kernel(kernel, p, static_cast<double>(i))); };
      point.push_back(static_cast<double>(pick(rng.uniform(), weight, *parameter.size())));
    } else {
      const double mu = kernel.center.empty() ? kPriorCenter : place(parameter, kernel.center[p]);
      point.push_back(parameter.from_unit(truncated_normal(mu, sigma(kernel), rng)));
    }
  }
  return point;
}

double ParzenEstimator::log_kernel(const Kernel& kernel, size_t p, double value) const {
  const Parameter& parameter = space_[p];
  if (parameter.kind() == Parameter::Kind::choice) {
    // One count for its own choice, and one, divided among all kernels and given to each choice, for the prior.
    const auto choices = static_cast<double>(*parameter.size());
    if (kernel.center.empty()) return -std::log(choices);
    const double prior = 1 / static_cast<double>(kernels_.size());
    const double own = kernel.center[p] == value ? 1 : 0;
    return std::log((own + prior) / (1 + prior * choices));
  }
  const double mu = kernel.center.empty() ? kPriorCenter : place(parameter, kernel.center[p]), s = sigma(kernel);
  const double inside = normal_mass(-mu / s, (1 - mu) / s);
  const auto [from, to] = parameter.cell(value);
  const double mass = from < to ? normal_mass((from - mu) / s, (to - mu) / s) : normal_density((from - mu) / s) / s;
  return std::log(std::max(mass / inside, kLeast));
}

double ParzenEstimator::log_density(const Point& point) const {
  std::vector<double> logs;
  for (const Kernel& kernel : kernels_) {
    double log = kernel.log_weight;
    for (size_t p = 0; p < space_.size(); ++p) log += log_kernel(kernel, p, point[p]);
    logs.push_back(log);
  }
  const double largest = *std::max_element(logs.begin(), logs.end());
  double sum = 0;
  for (const double log : logs) sum += std::exp(log - largest);
  return largest + std::log(sum);
}

}  // namespace danlu::tune
