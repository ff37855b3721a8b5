// From a panel and a moment in it, the origin, to what a model is shown of a series there, and from what it says to a forecast. Fitted on the
// training part alone, saved with the model, and replayed unchanged when it predicts.
//
//   forecast[h] = reference[h] + scale * output[h]        h = 0 .. horizon - 1, from the origin on
//
// The reference is the value a season before, or the last one, so that a model that says nothing (0) is that baseline. The scale is the
// root mean square of the differences over a season, of the training part, each series its own.
//
// A sample is (length + horizon, channels): the periods before the origin and those to be foretold. Its channels are
//   the value, less the last one, over the scale; the reference in its place where it is to be foretold
//   the value `lag` periods before, in the same units, for each lag
//   the columns known in advance, less their mean, over their standard deviation; 0 where one is missing
//   the calendar: day and year as two waves and their doubles, weekdays as 0 or 1
// Gaps are filled from what stands before the origin: on the line between two values, with the nearest one at the ends.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/data/series/series.h"

namespace danlu::data {

// How outputs become a forecast, and what is foretold without a model.
struct ForecastFrame {
  std::vector<double> reference;  // of each period
  std::vector<double> seasonal;   // the value a whole number of seasons before: the seasonal naive forecast
  double last = 0;                // the last value: the naive forecast
  double scale = 1;
};

// Mean absolute difference of the values before `end` to those a season before, or where there are none to the one before; 0 if nothing
// changes.
double seasonal_difference(const Panel::Series& series, int64_t end, int64_t season);

class SeriesPreprocess {
 public:
  // Nothing fitted yet: for the sizes alone. `options` are resolved.
  static SeriesPreprocess of(const SeriesOptions& options);
  // Of the periods before `training_end`. Throws DataError if all series are constant there.
  static SeriesPreprocess fit(const Panel& panel, const SeriesOptions& options, int64_t training_end);
  // Throws DataError naming `source`.
  static SeriesPreprocess from_json(const Json& json, const std::string& source);
  Json to_json() const;

  const SeriesOptions& options() const { return options_; }
  int64_t horizon() const { return options_.horizon; }
  int64_t season() const { return *options_.season; }
  int64_t length() const { return *options_.length; }
  int64_t history() const { return history_; }  // periods before the origin that are looked at
  int64_t rows() const { return length() + horizon(); }
  int64_t channels() const;
  static int64_t calendar_channels(const std::string& part);  // of "weekday", "day" or "year"
  // The series that do not change in the training part, of a fit and not of a saved one. Their scale is that of their own history where that
  // changes later on, else the usual one of the others.
  const std::vector<std::string>& constant() const { return constant_; }

  // Is there a value among those that a sample is made of? The origin may be behind the last period of the panel.
  bool can_encode(const Panel& panel, int64_t series, int64_t origin) const;
  // x: rows() * channels(). A series that training did not see gets its scale from its own history.
  ForecastFrame encode(const Panel& panel, int64_t series, int64_t origin, std::span<float> x) const;
  double scale_of(const Panel::Series& series, int64_t end) const;

 private:
  void write_calendar(const Panel& panel, int64_t period, float* out) const;

  SeriesOptions options_;  // resolved
  int64_t history_ = 0;
  std::map<std::string, double> scales_;  // of each series by its name
  double usual_scale_ = 1;                // the median of them
  std::vector<double> known_mean_, known_std_;
  std::vector<std::string> constant_;
};

}  // namespace danlu::data
