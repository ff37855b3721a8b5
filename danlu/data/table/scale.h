// Scaling of a number column, fitted on training rows.
//
//   standard  (x - mean) / deviation
//   minmax    (x - min) / (max - min), 0 to 1 on training rows
//   log       sign(x) log(1 + |x|), then standard
//   quantile  the share of training values below x, 0 to 1
//   none      x
//
// A constant column becomes 0 (quantile: 0.5), never NaN. quantile stops at the ends of the training range; the others
// go on. inverse(apply(x)) = x up to rounding, within the training range for quantile and for a column that is not
// constant.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/data/table/saved_state.h"

namespace danlu::data {

const std::vector<std::string>& scale_methods();  // the words above

class Scaler {
 public:
  Scaler() = default;  // none
  // Throws DataError if the values are so large that their moments overflow.
  static Scaler fit(std::span<const double> training, const std::string& method);
  static Scaler from_json(const SavedState& state);
  Json to_json() const;

  const std::string& method() const { return method_; }
  double apply(double x) const;
  double inverse(double y) const;

 private:
  std::string method_ = "none";
  double shift_ = 0, scale_ = 1;  // (x - shift) / scale; scale is never 0
  std::vector<double> knots_;     // quantile: ascending training quantiles at even steps
};

}  // namespace danlu::data
