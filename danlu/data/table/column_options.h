// What a user may say of a column, or of all columns at once.
#pragma once

#include <string>

#include "danlu/base/options.h"
#include "danlu/data/table/encode.h"
#include "danlu/data/table/impute.h"
#include "danlu/data/table/outliers.h"

namespace danlu::data {

// "auto" in a method means: as said for all columns; where that is auto too, derived from the training rows.
struct ColumnOptions {
  std::string type = "auto";
  bool drop = false;
  std::string on_bad_cell = "auto";
  std::string scale = "auto";
  ImputeOptions impute;
  OutlierOptions outliers;
  EncodeOptions encode;

  void describe(OptionVisitor& v) {
    v.choice("type", type, {"auto", "number", "category", "binary", "text", "date", "id"},
             "what the cells mean; auto: inferred");
    v.field("drop", drop, "leave the column out");
    v.choice("on_bad_cell", on_bad_cell, {"auto", "error", "missing"}, "a cell that is not of the type; auto: error");
    v.choice("scale", scale, {"auto", "standard", "minmax", "log", "quantile", "none"},
             "numbers and dates; auto: standard, or log for numbers >= 0 of skewness above 3");
    v.group("impute", impute, "missing values");
    v.group("outliers", outliers, "unusual values of a number column");
    v.group("encode", encode, "categories as numbers");
  }
};

}  // namespace danlu::data
