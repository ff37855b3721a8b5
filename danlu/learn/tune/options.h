// How to search: the section `tune` of a recipe.
#pragma once

#include <optional>
#include <string>

#include "danlu/base/options.h"

namespace danlu::tune {

// Successive halving: the trials that are best at a rung go on to the next, which is `reduction` times as far.
struct HalvingOptions {
  std::string unit = "validations";
  double first = 1;
  double reduction = 3;
  std::string sampler = "tpe";
  void describe(OptionVisitor& v);
};

struct TpeOptions {
  int64_t startup = 8;
  int64_t candidates = 24;
  void describe(OptionVisitor& v);
};

struct TuneOptions {
  Json space = Json::object();
  Json trial = Json::object();
  std::string method = "tpe";
  std::string metric = "auto";
  std::string direction = "auto";
  std::optional<int64_t> trials;     // at least one of these two ends the search, or the grid does; the first reached
  std::string time;                  // "20m"; empty: no limit
  int64_t seed = 1;
  int64_t points = 4;
  TpeOptions tpe;
  HalvingOptions asha;
  void describe(OptionVisitor& v);
};

}  // namespace danlu::tune
