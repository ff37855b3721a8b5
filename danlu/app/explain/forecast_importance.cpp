#include "danlu/app/explain/forecast_importance.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/timer.h"
#include "danlu/data/series/inputs.h"
#include "danlu/eval/permutation_importance.h"

namespace danlu::app {
namespace {

constexpr int64_t kRepeats = 5;
constexpr int64_t kBatch = 256;

// Of all periods, and of each of the horizon by itself.
struct Errors {
  double all = 0;
  std::vector<double> by_step;
};

class Windows {
 public:
  Windows(const infer::Forecaster& forecaster, const ForecastWindows& windows) : forecaster_(forecaster), w_(windows) {}

  int64_t count() const { return w_.x.size(0); }
  Errors errors(const Tensor& x) const {
    const int64_t horizon = forecaster_.preprocess().horizon();
    std::vector<double> squares(static_cast<size_t>(horizon)), measured(squares);
    for (int64_t begin = 0; begin < count(); begin += kBatch) {
      const int64_t end = std::min(begin + kBatch, count());
      const Tensor outputs = forecaster_.run(x.rows(begin, end));
      for (int64_t n = begin; n < end; ++n) {
        for (int64_t h = 0; h < horizon; ++h) {
          const auto i = static_cast<size_t>(n * horizon + h), step = static_cast<size_t>(h);
          if (std::isnan(w_.truth[i])) continue;
          const double said = w_.reference[i] + w_.scale[static_cast<size_t>(n)] * static_cast<double>(outputs.data()[(n - begin) * horizon + h]);
          squares[step] += (said - w_.truth[i]) * (said - w_.truth[i]);
          ++measured[step];
        }
      }
    }
    Errors found;
    double sum = 0, all = 0;
    for (size_t h = 0; h < squares.size(); ++h) {
      found.by_step.push_back(std::sqrt(squares[h] / measured[h]));
      sum += squares[h], all += measured[h];
    }
    found.all = std::sqrt(sum / all);
    return found;
  }
  Errors as_they_are() const { return errors(w_.x); }
  // With an input of each window that of another.
  Errors shuffled(const data::SeriesInput& input, std::span<const int64_t> order) const {
    Tensor x = w_.x.clone();
    const int64_t size = x.shape().inner(0);
    for (int64_t n = 0; n < count(); ++n) {
      for (const int64_t cell : input.cells) x.mutable_data()[n * size + cell] = w_.x.data()[order[static_cast<size_t>(n)] * size + cell];
    }
    return errors(x);
  }

 private:
  const infer::Forecaster& forecaster_;
  const ForecastWindows& w_;
};

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json worth_of(const Windows& windows, const data::SeriesInput& input, int64_t number, const Errors& usual) {
  std::vector<double> by_step(usual.by_step.size());
  const eval::Importance worth = eval::permutation_importance(number, windows.count(), -usual.all, [&](int64_t, std::span<const int64_t> order) {
    const Errors errors = windows.shuffled(input, order);
    for (size_t h = 0; h < by_step.size(); ++h) by_step[h] += (errors.by_step[h] - usual.by_step[h]) / kRepeats;
    return -errors.all;
  }, {.repeats = kRepeats});
  Json json = {{"column", input.name}, {"importance", worth.mean}, {"spread", worth.spread}, {"by_step", Json::array()}};
  for (const double rise : by_step) json["by_step"].push_back(number_or_null(rise));
  return json;
}

}  // namespace

Json forecast_importance(const infer::Forecaster& forecaster, const ForecastWindows& given, double seconds) {
  const Timer timer;
  const Windows windows(forecaster, given);
  const Errors usual = windows.as_they_are();
  if (!std::isfinite(usual.all)) return nullptr;
  const std::vector<data::SeriesInput> inputs = data::series_inputs(forecaster.preprocess());
  std::vector<Json> columns;
  for (size_t i = 0; i < inputs.size() && timer.seconds() < seconds; ++i) columns.push_back(worth_of(windows, inputs[i], static_cast<int64_t>(i), usual));
  std::stable_sort(columns.begin(), columns.end(), [](const Json& a, const Json& b) { return a["importance"].get<double>() > b["importance"].get<double>(); });
  return {{"metric", "rmse"}, {"value", usual.all}, {"samples", windows.count()}, {"repeats", kRepeats}, {"left_out", inputs.size() - columns.size()}, {"columns", columns}};
}

}  // namespace danlu::app
