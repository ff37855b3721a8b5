// Bounds of the usual values of a number column, fitted on training rows, and what to do beyond them.
//
//   zscore      mean -+ threshold * standard deviation           threshold 3
//   iqr         q1 - threshold * (q3 - q1), q3 + ...             threshold 1.5 (Tukey's fences)
//   percentile  the `tail` and 1 - `tail` quantiles              tail 0.01
//
// Actions: clip to the bound; flag (an extra 0/1 feature, the value stays); missing (imputed afterwards); drop (the
// row, if it is a training row; other rows are clipped, so that no row of validation or test is ever deleted).
#pragma once

#include <span>
#include <string>

#include "danlu/base/json.h"
#include "danlu/base/options.h"
#include "danlu/data/table/saved_state.h"

namespace danlu::data {

struct OutlierOptions {
  std::string method = "auto";
  std::string action = "clip";
  std::optional<double> threshold;
  double tail = 0.01;

  void describe(OptionVisitor& v) {
    v.choice("method", method, {"auto", "none", "zscore", "iqr", "percentile"}, "how bounds are found; auto: none");
    v.choice("action", action, {"clip", "flag", "missing", "drop"},
             "what is done beyond them; drop: training rows only");
    v.field("threshold", threshold, {0, 1e6}, "zscore: deviations, default 3; iqr: ranges, default 1.5");
    v.field("tail", tail, {0, 0.5}, "percentile: share of values beyond each bound");
  }
};

class OutlierBounds {
 public:
  OutlierBounds() = default;  // no bounds
  // NaN values are passed over.
  static OutlierBounds fit(std::span<const double> training, const OutlierOptions& options);
  static OutlierBounds from_json(const SavedState& state);
  Json to_json() const;

  bool active() const { return !action_.empty(); }
  bool drops() const { return action_ == "drop"; }
  bool flags() const { return action_ == "flag"; }
  double low() const { return low_; }
  double high() const { return high_; }

  bool beyond(double value) const { return active() && (value < low_ || value > high_); }  // NaN is not beyond
  // Clips or sets NaN, by the action.
  void apply(std::span<double> values) const;

 private:
  std::string action_;
  double low_ = 0, high_ = 0;
};

}  // namespace danlu::data
