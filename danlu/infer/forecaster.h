// A forecaster as it lies on disk, ready to answer: model, and how series become its input.
//
//   Forecaster forecaster("runs/co2");
//   std::vector<Forecast> next = forecaster.forecast(data::read_table("measured.csv"));
//
// The bundle: model.safetensors, config.json ("format": "danlu-forecaster"), preprocess.json (data::SeriesPreprocess).
// Threads: all but construction by any number at once.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "danlu/base/files.h"
#include "danlu/base/json.h"
#include "danlu/data/series/preprocess.h"
#include "danlu/data/table/table.h"
#include "danlu/eval/forecast.h"
#include "danlu/learn/nn/module.h"

namespace danlu::infer {

// Of one series, from the period behind its last value on.
struct Forecast {
  std::string series;
  struct Interval {
    double share = 0, low = 0, high = 0;
  };
  struct Step {
    std::string time;
    double value = 0;
    std::vector<Interval> intervals;
  };
  std::vector<Step> steps;
  std::string notice = {};  // what the bundle says beside every answer; may be empty
  // What the forecast of each step would lack without an input (data/series/inputs.h); most first. Of explain() alone.
  struct Influence {
    std::string input;
    std::vector<double> by_step;
  };
  std::vector<Influence> influences = {};
};

class Forecaster {
 public:
  // Opens a bundle, or that of a run directory. Throws FileError, or DataError naming the file.
  explicit Forecaster(const fs::path& directory);

  const std::string& name() const { return name_; }
  const Json& config() const { return config_; }
  const data::SeriesPreprocess& preprocess() const { return preprocess_; }
  const data::MissingWords& missing() const { return missing_; }  // how the training data wrote gaps
  int64_t num_parameters() const { return model_->num_parameters(); }
  const std::vector<eval::ResidualBand>& bands() const { return bands_; }  // in units of the series' scale

  // The next `horizon` periods, at most those that it was trained for, of every series of a table like the training data. Rows behind the
  // last value of a series say what is known in advance. Throws DataError as data::read_series does, where gaps may be 50 times the
  // values (and a million); for a history that is too short, for columns known in advance that stop too soon, for a horizon out of range.
  std::vector<Forecast> forecast(const data::Table& table, std::optional<int64_t> horizon = {}) const;
  // The same, each with its influences: the forecast less that of a model which is shown zeros in the place of an input, which say that the
  // values have been as the last one, that a column known in advance has its mean, that there is no calendar. Occlusion, after Zeiler, Fergus
  // 2014, arXiv:1311.2901: influences of inputs that work together do not add up to the forecast.
  std::vector<Forecast> explain(const data::Table& table, std::optional<int64_t> horizon = {}) const;

  // (N, length + horizon, channels) to (N, horizon), in units of the scale.
  Tensor run(const Tensor& x) const;

 private:
  data::Panel read_panel(const data::Table& table) const;
  std::vector<Forecast> answer(const data::Table& table, std::optional<int64_t> horizon, bool explains) const;
  // Of the series [begin, end), appended to `all`.
  void forecast_some(const data::Panel& panel, int64_t begin, int64_t end, int64_t horizon, bool explains, std::vector<Forecast>& all) const;
  void add_influences(const Tensor& x, const Tensor& outputs, std::span<const data::ForecastFrame> frames, std::span<Forecast> forecasts) const;

  std::string name_;
  Json config_;
  data::SeriesPreprocess preprocess_;
  data::MissingWords missing_;
  std::vector<eval::ResidualBand> bands_;
  std::unique_ptr<nn::Module> model_;  // in evaluation mode
};

// {"series": "co2", "forecast": [{"time": "2002-01-05", "value": 371.2, "intervals": [{"share": 0.8, "low": 370.7, "high": 371.8}]}]}, and
// "notice", where there is one, and "explanation": {"influences": [{"input": "weekday", "by_step": [0.4, ...]}]} of explain().
Json to_json(const Forecast& forecast);

// Does the directory, or the bundle/ in it, hold a forecaster? Reads config.json alone.
bool is_forecaster(const fs::path& directory);

// `model`: ModelConfig::resolved. config.json is written last. Throws FileError if a file cannot be written.
struct ForecasterBundle {
  std::string name;
  std::string notice;
  data::MissingWords missing;
  Json model;
  std::vector<eval::ResidualBand> bands;
  Json training = Json::object();
};
void write_forecaster(const fs::path& directory, const ForecasterBundle& bundle, const nn::Module& model, const data::SeriesPreprocess& preprocess);

}  // namespace danlu::infer
