#include "danlu/data/table/outliers.h"

#include <algorithm>
#include <limits>

#include "danlu/data/table/statistics.h"

namespace danlu::data {

OutlierBounds OutlierBounds::fit(std::span<const double> training, const OutlierOptions& options) {
  OutlierBounds bounds;
  const std::vector<double> sorted = sorted_present(training);
  if (options.method == "auto" || options.method == "none" || sorted.empty()) return bounds;
  bounds.action_ = options.action;
  if (options.method == "zscore") {
    const Moments moments = moments_of(training);
    const double reach = options.threshold.value_or(3) * moments.deviation;
    bounds.low_ = moments.mean - reach;
    bounds.high_ = moments.mean + reach;
  } else if (options.method == "iqr") {
    const double q1 = quantile_of(sorted, 0.25), q3 = quantile_of(sorted, 0.75);
    const double reach = options.threshold.value_or(1.5) * (q3 - q1);
    bounds.low_ = q1 - reach;
    bounds.high_ = q3 + reach;
  } else {
    bounds.low_ = quantile_of(sorted, options.tail);
    bounds.high_ = quantile_of(sorted, 1 - options.tail);
  }
  // A constant column has its bounds on its value, give or take rounding: it has no outliers.
  if (sorted.front() == sorted.back()) bounds.low_ = bounds.high_ = sorted.front();
  return bounds;
}

void OutlierBounds::apply(std::span<double> values) const {
  if (!active() || flags()) return;
  const double missing = std::numeric_limits<double>::quiet_NaN();
  for (double& value : values) {
    if (beyond(value)) value = action_ == "missing" ? missing : std::clamp(value, low_, high_);
  }
}

Json OutlierBounds::to_json() const {
  return active() ? Json{{"action", action_}, {"low", low_}, {"high", high_}} : Json(nullptr);
}

OutlierBounds OutlierBounds::from_json(const SavedState& state) {
  OutlierBounds bounds;
  bounds.action_ = state.word("action", {"clip", "flag", "missing", "drop"});
  bounds.low_ = state.number("low");
  bounds.high_ = state.number("high");
  if (bounds.low_ > bounds.high_) state.fail("low", "a number not above \"high\"");
  return bounds;
}

}  // namespace danlu::data
