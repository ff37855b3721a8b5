// How good forecasts are that were made again and again while time went on: a walk-forward test.
//
//   Walk walk = ...;                       // what happened after each origin
//   ForecastReport report = measure_forecast(walk, values);
//   PairedComparison gain = compare_rmse(walk, seasonal_naive, values);
//
// Windows overlap and what surprises one surprises its neighbours, so intervals come from a bootstrap over blocks: the windows, of all
// series, whose origins lie in one stretch of a horizon stand or fall together.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/eval/bootstrap.h"

namespace danlu::eval {

struct Walk {
  int64_t horizon = 1;
  std::vector<int64_t> origins;    // period of each window
  std::vector<double> naive_error;  // of each window, that of its series: mean absolute difference over a season in training; MASE's unit; 0: it has none
  std::vector<double> truth;       // (windows, horizon), NaN where nothing was measured

  int64_t windows() const { return static_cast<int64_t>(origins.size()); }
  int64_t measured() const;  // truths that are numbers
};

// The measures, all better the lower: rmse and mae in the unit of the series; mase, mae over the naive error (Hyndman, Koehler 2006,
// doi 10.1016/j.ijforecast.2006.03.001); smape, mean of 2 |e| / (|truth| + |forecast|), 0 where both are 0.
struct ForecastReport {
  struct Metric {
    std::string name;
    double value = 0;
    Interval interval;  // over blocks; NaN if there are fewer than two
  };
  std::vector<Metric> metrics;
  std::vector<double> rmse_by_step;  // of each period of the horizon
  int64_t windows = 0, measured = 0, blocks = 0;
};
const std::vector<std::string>& forecast_metrics();

// values: (windows, horizon). Throws ShapeError if the sizes differ, DataError if nothing was measured.
ForecastReport measure_forecast(const Walk& walk, std::span<const double> values, const BootstrapOptions& options = {});

// RMSE of a less that of b, over the same windows: above 0 where b is better.
PairedComparison compare_rmse(const Walk& walk, std::span<const double> a, std::span<const double> b, const BootstrapOptions& options = {});

// The part of the RMSE of `baseline` that is gone: 1 - RMSE / RMSE of the baseline.
ForecastReport::Metric skill_over(const Walk& walk, std::span<const double> values, std::span<const double> baseline, const BootstrapOptions& options = {});

// How often the truth lay within, and how wide that is on average; windows without a number count in neither.
struct Coverage {
  double share = 0;
  Interval interval;  // of the share, over blocks
  double width = 0;
};
Coverage measure_coverage(const Walk& walk, std::span<const double> low, std::span<const double> high, const BootstrapOptions& options = {});

// Where residuals of held-out forecasts lie that hold a share of them, for each period of the horizon: split conformal prediction (Vovk,
// Gammerman, Shafer 2005), each side its own tail. residuals: (windows, horizon), NaN passed over. A period with fewer than kFewest of
// them, or with fewer than 2 / (1 - share) - 1, whose least and greatest do not hold the share yet, takes those of all periods. Nothing if
// there are fewer altogether.
struct ResidualBand {
  static constexpr int64_t kFewest = 20;
  double share = 0;
  std::vector<double> low, high;  // of each period
};
std::optional<ResidualBand> residual_band(std::span<const double> residuals, int64_t horizon, double share);

// {"rmse": {"value", "better", "interval"}, ...}
Json to_json(const ForecastReport& report);

}  // namespace danlu::eval
