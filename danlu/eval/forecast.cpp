#include "danlu/eval/forecast.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/eval/measure_json.h"

namespace danlu::eval {
namespace {

constexpr const char* kWhere = "eval.forecast";
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// The block of each window, numbered from 0.
std::vector<size_t> blocks_of(const Walk& walk) {
  std::map<int64_t, size_t> numbers;
  const int64_t first = walk.origins.empty() ? 0 : *std::min_element(walk.origins.begin(), walk.origins.end());
  for (const int64_t origin : walk.origins) numbers[(origin - first) / walk.horizon];
  size_t next = 0;
  for (auto& [stretch, number] : numbers) number = next++;
  std::vector<size_t> blocks;
  for (const int64_t origin : walk.origins) blocks.push_back(numbers[(origin - first) / walk.horizon]);
  return blocks;
}

size_t count_blocks(const std::vector<size_t>& blocks) { return blocks.empty() ? 0 : 1 + *std::max_element(blocks.begin(), blocks.end()); }

void check(const Walk& walk, std::span<const double> values) {
  if (values.size() != walk.truth.size() || std::ssize(walk.truth) != walk.windows() * walk.horizon || walk.naive_error.size() != walk.origins.size()) {
    throw ShapeError(kWhere, fmt::format("got {} forecasts, {} truths and {} naive errors for {} windows of {} periods; expected a forecast and a truth for each period, a naive error for each window", values.size(), walk.truth.size(), walk.naive_error.size(), walk.windows(), walk.horizon));
  }
  if (walk.measured() == 0) throw DataError(kWhere, "got no window in which something was measured; expected some to test on");
}

// Sums of each block, so that a resample costs no pass over the windows.
struct Sums {
  std::vector<double> total, terms;

  double mean(Counts counts) const {
    double sum = 0, count = 0;
    for (size_t b = 0; b < total.size(); ++b) {
      const auto times = static_cast<double>(count_of(counts, b));
      sum += times * total[b];
      count += times * terms[b];
    }
    return count > 0 ? sum / count : kNone;
  }
};

// measure(truth, value, window) of every truth that is a number; NaN passes one over.
template <class Measure>
Sums sum_up(const Walk& walk, std::span<const double> values, const Measure& measure) {
  const std::vector<size_t> blocks = blocks_of(walk);
  Sums sums;
  sums.total.assign(count_blocks(blocks), 0);
  sums.terms = sums.total;
  for (size_t i = 0; i < walk.truth.size(); ++i) {
    if (std::isnan(walk.truth[i])) continue;
    const size_t window = i / static_cast<size_t>(walk.horizon);
    const double measured = measure(walk.truth[i], values[i], window);
    if (std::isnan(measured)) continue;
    sums.total[blocks[window]] += measured;
    sums.terms[blocks[window]] += 1;
  }
  return sums;
}

Sums squares(const Walk& walk, std::span<const double> values) {
  return sum_up(walk, values, [](double truth, double value, size_t) { return (value - truth) * (value - truth); });
}

Statistic root_mean(Sums sums) {
  return [sums = std::move(sums)](Counts counts) { return std::sqrt(sums.mean(counts)); };
}

Statistic mean_of(Sums sums) {
  return [sums = std::move(sums)](Counts counts) { return sums.mean(counts); };
}

Interval interval_of(size_t blocks, const Statistic& statistic, const BootstrapOptions& options) {
  return blocks < 2 ? Interval{kNone, kNone} : bootstrap_interval(static_cast<int64_t>(blocks), statistic, options);
}

}  // namespace

int64_t Walk::measured() const {
  return std::count_if(truth.begin(), truth.end(), [](double v) { return !std::isnan(v); });
}

const std::vector<std::string>& forecast_metrics() {
  static const std::vector<std::string> kNames = {"rmse", "mae", "mase", "smape"};
  return kNames;
}

ForecastReport measure_forecast(const Walk& walk, std::span<const double> values, const BootstrapOptions& options) {
  check(walk, values);
  const auto absolute = [](double truth, double value, size_t) { return std::abs(value - truth); };
  const auto scaled = [&](double truth, double value, size_t window) { return walk.naive_error[window] > 0 ? std::abs(value - truth) / walk.naive_error[window] : kNone; };
  const auto symmetric = [](double truth, double value, size_t) {
    const double size = std::abs(truth) + std::abs(value);
    return size > 0 ? 2 * std::abs(value - truth) / size : 0.0;
  };
  const size_t blocks = count_blocks(blocks_of(walk));
  const std::vector<Statistic> statistics = {root_mean(squares(walk, values)), mean_of(sum_up(walk, values, absolute)), mean_of(sum_up(walk, values, scaled)), mean_of(sum_up(walk, values, symmetric))};
  ForecastReport report;
  for (size_t i = 0; i < statistics.size(); ++i) report.metrics.push_back({forecast_metrics()[i], statistics[i]({}), interval_of(blocks, statistics[i], options)});
  for (int64_t h = 0; h < walk.horizon; ++h) {
    double sum = 0, count = 0;
    for (size_t i = static_cast<size_t>(h); i < values.size(); i += static_cast<size_t>(walk.horizon)) {
      if (std::isnan(walk.truth[i])) continue;
      sum += (values[i] - walk.truth[i]) * (values[i] - walk.truth[i]);
      ++count;
    }
    report.rmse_by_step.push_back(count > 0 ? std::sqrt(sum / count) : kNone);
  }
  report.windows = walk.windows();
  report.measured = walk.measured();
  report.blocks = static_cast<int64_t>(blocks);
  return report;
}

PairedComparison compare_rmse(const Walk& walk, std::span<const double> a, std::span<const double> b, const BootstrapOptions& options) {
  check(walk, a);
  check(walk, b);
  const Statistic of_a = root_mean(squares(walk, a)), of_b = root_mean(squares(walk, b));
  const auto blocks = static_cast<int64_t>(count_blocks(blocks_of(walk)));
  if (blocks >= 2) return paired_bootstrap(blocks, of_a, of_b, options);
  return {of_a({}) - of_b({}), {kNone, kNone}, kNone};
}

ForecastReport::Metric skill_over(const Walk& walk, std::span<const double> values, std::span<const double> baseline, const BootstrapOptions& options) {
  check(walk, values);
  check(walk, baseline);
  const Statistic skill = [own = squares(walk, values), other = squares(walk, baseline)](Counts counts) {
    const double of_baseline = other.mean(counts);
    return of_baseline > 0 ? 1 - std::sqrt(own.mean(counts) / of_baseline) : kNone;
  };
  return {"skill", skill({}), interval_of(count_blocks(blocks_of(walk)), skill, options)};
}

Coverage measure_coverage(const Walk& walk, std::span<const double> low, std::span<const double> high, const BootstrapOptions& options) {
  check(walk, low);
  check(walk, high);
  const std::vector<size_t> blocks = blocks_of(walk);
  Sums inside{std::vector<double>(count_blocks(blocks), 0), std::vector<double>(count_blocks(blocks), 0)};
  Coverage coverage;
  double terms = 0;
  for (size_t i = 0; i < walk.truth.size(); ++i) {
    if (std::isnan(walk.truth[i])) continue;
    const size_t block = blocks[i / static_cast<size_t>(walk.horizon)];
    inside.total[block] += low[i] <= walk.truth[i] && walk.truth[i] <= high[i] ? 1 : 0;
    inside.terms[block] += 1;
    coverage.width += high[i] - low[i];
    ++terms;
  }
  coverage.width /= terms;
  coverage.share = inside.mean({});
  coverage.interval = interval_of(inside.total.size(), mean_of(inside), options);
  return coverage;
}

std::optional<ResidualBand> residual_band(std::span<const double> residuals, int64_t horizon, double share) {
  std::vector<std::vector<double>> steps(static_cast<size_t>(horizon));
  std::vector<double> all;
  for (size_t i = 0; i < residuals.size(); ++i) {
    if (std::isnan(residuals[i])) continue;
    steps[i % static_cast<size_t>(horizon)].push_back(residuals[i]);
    all.push_back(residuals[i]);
  }
  // The least of n has one part of n + 1 below it, and the greatest one above.
  const auto fewest = std::max(ResidualBand::kFewest, static_cast<int64_t>(std::ceil(2 / (1 - share) - 1 - 1e-9)));
  if (std::ssize(all) < fewest) return std::nullopt;
  std::sort(all.begin(), all.end());
  ResidualBand band{share, {}, {}};
  for (std::vector<double>& step : steps) {
    std::sort(step.begin(), step.end());
    const std::vector<double>& from = std::ssize(step) < fewest ? all : step;
    // The k-th smallest of n with k / (n + 1) of the probability below it: what is new is one more of them.
    const auto n = static_cast<double>(from.size());
    const double tail = (1 - share) / 2;
    const auto below = static_cast<size_t>(std::max(0.0, std::floor(tail * (n + 1)) - 1)), above = static_cast<size_t>(std::min(n, std::ceil((1 - tail) * (n + 1))) - 1);
    band.low.push_back(from[below]);
    band.high.push_back(from[above]);
  }
  return band;
}

Json to_json(const ForecastReport& report) {
  Json json = Json::object();
  for (const ForecastReport::Metric& m : report.metrics) json[m.name] = measure_json(m.value, "lower", m.interval);
  return json;
}

}  // namespace danlu::eval
