// What the tests of series share.
#pragma once

#include <string>

#include "danlu/data/series/series.h"
#include "danlu/data/table/csv.h"

namespace danlu::data {

inline SeriesOptions daily() {
  SeriesOptions o;
  o.time = "day";
  o.values = {"rides"};
  return o;
}

// 0, 1, 2, ... with every tenth value missing.
inline Panel ramp(int64_t periods) {
  std::string csv = "rides\n";
  for (int64_t p = 0; p < periods; ++p) csv += p % 10 == 9 ? "NA\n" : std::to_string(p) + "\n";
  SeriesOptions o = daily();
  o.time = "";
  return read_series(parse_csv(csv, "s.csv"), o);
}

inline SeriesOptions windows(int64_t length, int64_t horizon, int64_t season) {
  SeriesOptions o = daily();
  o.length = length;
  o.horizon = horizon;
  o.season = season;
  o.lags = {5};
  return resolve_series_options(o, Frequency::parse("step"));
}

}  // namespace danlu::data
