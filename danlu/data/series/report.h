// How series are divided in time, and what there is to know of them before anything is learnt.
#pragma once

#include <string>

#include "danlu/base/json.h"
#include "danlu/data/dataset/split.h"
#include "danlu/data/series/preprocess.h"

namespace danlu::data {

// Periods [0, training_end) train, [training_end, validation_end) validate, those behind test. The horizon of a window lies in one of them;
// what it looks back at may lie in those before.
struct TimeSplit {
  int64_t training_end = 0, validation_end = 0, end = 0;
};

// By the shares of `options`, of the periods up to the last one with a value. Throws DataError naming the smallest number of periods if a
// part has no room for a window; ConfigError for options that ask for another way to divide.
TimeSplit split_in_time(const Panel& panel, const SplitOptions& options, int64_t history, int64_t horizon);

struct SeriesReport {
  Json json;  // findings are {"severity": "warning", "check", "column", "text"}, as for tables
  std::string text;
};
SeriesReport report_series(const Panel& panel, const SeriesPreprocess& preprocess, const TimeSplit& split, const std::string& source);

}  // namespace danlu::data
