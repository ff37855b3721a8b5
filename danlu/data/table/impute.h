// Filling of missing values, with what was learnt from training rows.
//
//   mean, median, mode   of the present training values (mode: the most frequent, the smallest among equals)
//   constant             `fill`
//   ffill, bfill         the nearest present value in an earlier (later) row of the same call; where there is none, the
//   median,
//                        or the mode of a category
//   drop_row             training rows with a gap are left out; gaps in other rows are filled as by auto
//   drop_column          a column with a gap in training is left out; gaps elsewhere are filled as by auto
//   auto                 numbers: median, plus an indicator if at least 5 % are missing; categories: a category of
//   their own if
//                        training has gaps, else the mode
#pragma once

#include <span>
#include <string>

#include "danlu/base/json.h"
#include "danlu/base/options.h"
#include "danlu/data/table/saved_state.h"

namespace danlu::data {

struct ImputeOptions {
  std::string method = "auto";
  std::string fill;
  bool indicator = false;

  void describe(OptionVisitor& v) {
    v.choice("method", method,
             {"auto", "drop_row", "drop_column", "constant", "mean", "median", "mode", "ffill", "bfill"},
             "what takes the place of a missing value; auto: median for numbers, a category of its own for categories");
    v.field("fill", fill, "the value of method constant");
    v.field("indicator", indicator, "add a 0/1 feature that says where a value was missing");
  }
};

// Works on numbers; a category comes as its index. Missing is NaN.
class Imputer {
 public:
  Imputer() = default;
  // `method` is mean, median, mode, constant (then `fill` counts), ffill or bfill. `ordered` says that the values have
  // a middle, so that ffill and bfill fall back on the median; else on the mode. Throws DataError if no training value
  // is present and the method needs one.
  static Imputer fit(std::span<const double> training, const std::string& method, double fill, bool ordered);
  static Imputer from_json(const SavedState& state);
  Json to_json() const;

  double fill() const { return fill_; }
  // Whether the order of the values matters.
  bool carries() const { return direction_ != Direction::none; }
  // `values` in the order of the rows that they come from. No NaN is left.
  void apply(std::span<double> values) const;

 private:
  enum class Direction { none, forward, backward };
  Direction direction_ = Direction::none;
  double fill_ = 0;
};

}  // namespace danlu::data
