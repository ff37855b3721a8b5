// What the inputs of a forecaster are worth: how much larger its error on the test part is when one is shuffled between the windows
// (eval/permutation_importance.h), for each period of the horizon.
#pragma once

#include <vector>

#include "danlu/base/json.h"
#include "danlu/infer/forecaster.h"

namespace danlu::app {

// Windows and what happened in them.
struct ForecastWindows {
  Tensor x;                              // (N, length + horizon, channels)
  std::vector<double> reference, truth;  // (N, horizon); NaN where nothing was measured
  std::vector<double> scale;             // N
};

// As column_importance() has it, of RMSE in the unit of the series, with what an input is worth for each period of the horizon:
//   {"metric": "rmse", "value": 2.1, "samples": 114, "repeats": 5, "left_out": 0,
//    "columns": [{"column": "values 3 to 4 before", "importance", "spread", "by_step": [...]}, ...]}    most first
// Null if nothing was measured. What the reference is worth by itself is not in it: it is added to whatever the model says.
Json forecast_importance(const infer::Forecaster& forecaster, const ForecastWindows& windows, double seconds);

}  // namespace danlu::app
