// How a model is made smaller: the options of `danlu compress`, and the section `compress` of a recipe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "danlu/base/options.h"

namespace danlu::app {

struct CompressOptions {
  double tolerance = 0.5;
  int64_t calibration = 512;
  std::optional<double> epochs;
  std::string scope = "global";
  void describe(OptionVisitor& v);
};

// What `danlu run` does when a model is finished.
struct CompressSection {
  std::string to;  // a target (compress/target.h); empty: nothing
  CompressOptions options;  // its keys stand beside `to`
  void describe(OptionVisitor& v);
};

}  // namespace danlu::app
