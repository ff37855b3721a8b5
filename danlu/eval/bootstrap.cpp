#include "danlu/eval/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/rng.h"
#include "danlu/base/threads.h"

namespace danlu::eval {
namespace {

constexpr const char* kWhere = "eval.bootstrap";

// The samples of each stratum; one stratum holds all if there are none.
std::vector<std::vector<int64_t>> group(int64_t samples, std::span<const int64_t> strata) {
  std::map<int64_t, std::vector<int64_t>> groups;
  for (int64_t i = 0; i < samples; ++i) groups[strata.empty() ? 0 : strata[static_cast<size_t>(i)]].push_back(i);
  std::vector<std::vector<int64_t>> members;
  for (auto& [stratum, indexes] : groups) members.push_back(std::move(indexes));
  return members;
}

void draw(const std::vector<std::vector<int64_t>>& groups, Rng& rng, std::span<int32_t> counts) {
  std::fill(counts.begin(), counts.end(), 0);
  for (const std::vector<int64_t>& members : groups) {
    const auto size = static_cast<int64_t>(members.size());
    for (int64_t i = 0; i < size; ++i) {
      ++counts[static_cast<size_t>(members[static_cast<size_t>(rng.below(size))])];
    }
  }
}

// Calls visit(resample, counts) for each resample, in parallel.
template <class Visit>
void each_resample(int64_t samples, const BootstrapOptions& options, std::span<const int64_t> strata,
                   const Visit& visit) {
  if (samples < 1) throw DataError(kWhere, "got no samples; expected at least 1");
  if (!strata.empty() && static_cast<int64_t>(strata.size()) != samples) {
    throw ShapeError(kWhere, fmt::format("got {} strata; expected one for each of {} samples", strata.size(), samples));
  }
  const auto groups = group(samples, options.stratified ? strata : std::span<const int64_t>());
  parallel_for(options.resamples, 1, [&](int64_t begin, int64_t end) {
    std::vector<int32_t> counts(static_cast<size_t>(samples));
    for (int64_t resample = begin; resample < end; ++resample) {
      Rng rng(static_cast<uint64_t>(options.seed), static_cast<uint64_t>(resample));
      draw(groups, rng, counts);
      visit(static_cast<size_t>(resample), Counts(counts));
    }
  });
}

Interval percentiles(std::vector<double> values, double confidence) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  if (values.empty()) return {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
  std::sort(values.begin(), values.end());
  const double tail = (1 - confidence) / 2;
  return {quantile(values, tail), quantile(values, 1 - tail)};
}

// P(at most k heads of n fair coins).
double binomial_half_cdf(int64_t k, int64_t n) {
  double sum = 0;
  const double log_all = static_cast<double>(n) * std::log(2.0), log_n = std::lgamma(static_cast<double>(n) + 1);
  for (int64_t i = 0; i <= k; ++i) {
    sum += std::exp(log_n - std::lgamma(static_cast<double>(i) + 1) - std::lgamma(static_cast<double>(n - i) + 1) -
                    log_all);
  }
  return sum;
}

}  // namespace

std::vector<Interval> bootstrap_intervals(int64_t samples, std::span<const Statistic> statistics,
                                          const BootstrapOptions& options, std::span<const int64_t> strata) {
  std::vector<std::vector<double>> values(statistics.size(),
                                          std::vector<double>(static_cast<size_t>(options.resamples)));
  each_resample(samples, options, strata, [&](size_t resample, Counts counts) {
    for (size_t s = 0; s < statistics.size(); ++s) values[s][resample] = statistics[s](counts);
  });
  std::vector<Interval> intervals;
  for (std::vector<double>& of_one : values) intervals.push_back(percentiles(std::move(of_one), options.confidence));
  return intervals;
}

Interval bootstrap_interval(int64_t samples, const Statistic& statistic, const BootstrapOptions& options,
                            std::span<const int64_t> strata) {
  return bootstrap_intervals(samples, std::span(&statistic, 1), options, strata).front();
}

PairedComparison paired_bootstrap(int64_t samples, const Statistic& a, const Statistic& b,
                                  const BootstrapOptions& options, std::span<const int64_t> strata) {
  std::vector<double> differences(static_cast<size_t>(options.resamples));
  each_resample(samples, options, strata,
                [&](size_t resample, Counts counts) { differences[resample] = a(counts) - b(counts); });
  PairedComparison result;
  result.difference = a({}) - b({});
  int64_t as_far = 1, defined = 1;
  for (const double difference : differences) {
    defined += std::isnan(difference) ? 0 : 1;
    as_far += std::abs(difference - result.difference) >= std::abs(result.difference) ? 1 : 0;
  }
  result.p_value = static_cast<double>(as_far) / static_cast<double>(defined);
  result.interval = percentiles(std::move(differences), options.confidence);
  return result;
}

McNemar mcnemar_test(std::span<const int64_t> labels, std::span<const int64_t> predicted_a,
                     std::span<const int64_t> predicted_b) {
  if (predicted_a.size() != labels.size() || predicted_b.size() != labels.size()) {
    throw ShapeError(kWhere, fmt::format("got {} and {} predictions; expected one for each of {} labels",
                                         predicted_a.size(), predicted_b.size(), labels.size()));
  }
  McNemar result;
  for (size_t i = 0; i < labels.size(); ++i) {
    const bool a = predicted_a[i] == labels[i], b = predicted_b[i] == labels[i];
    result.only_a_correct += a && !b ? 1 : 0;
    result.only_b_correct += b && !a ? 1 : 0;
  }
  const int64_t differ = result.only_a_correct + result.only_b_correct;
  result.p_value = std::min(1.0, 2 * binomial_half_cdf(std::min(result.only_a_correct, result.only_b_correct), differ));
  return result;
}

double quantile(std::span<const double> sorted, double q) {
  const double position = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace danlu::eval
