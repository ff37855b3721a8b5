#include "danlu/infer/forecaster.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/series/inputs.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/infer/bounded_model.h"
#include "danlu/infer/bundle_directory.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/train/checkpoint.h"

namespace danlu::infer {
namespace {

constexpr const char* kWhere = "infer.forecaster";
constexpr BundleFormat kFormat = {"danlu-forecaster", 1, "a forecaster"};
constexpr int64_t kMostAtOnce = 1 << 22;  // numbers that the model is shown
// Cells that a panel may have, gaps among them: so many for every row and column of values, and some for a small table.
constexpr int64_t kCellsPerValue = 50, kSpareCells = 1'000'000;

Json to_json(const std::vector<eval::ResidualBand>& bands) {
  Json json = Json::array();
  for (const eval::ResidualBand& band : bands) json.push_back({{"share", band.share}, {"low", band.low}, {"high", band.high}});
  return json;
}

// Throws DataError for what is no band of `horizon` periods.
eval::ResidualBand read_band(const Json& json, int64_t horizon, const std::string& source) {
  eval::ResidualBand band{json.at("share").get<double>(), json.at("low").get<std::vector<double>>(), json.at("high").get<std::vector<double>>()};
  const auto fail = [&](const std::string& message) { throw DataError(kWhere, fmt::format("{}: intervals: {}; the file is damaged", source, message)); };
  if (!(band.share > 0 && band.share < 1)) fail(fmt::format("share: got {:g}; expected a number between 0 and 1", band.share));
  if (std::ssize(band.low) != horizon || std::ssize(band.high) != horizon) {
    fail(fmt::format("of {:g}: got {} and {} bounds; expected one for each of {} periods", band.share, band.low.size(), band.high.size(), horizon));
  }
  for (size_t h = 0; h < band.low.size(); ++h) {
    const bool fits = std::isfinite(band.low[h]) && std::isfinite(band.high[h]) && band.low[h] <= band.high[h];
    if (!fits) fail(fmt::format("of {:g}: got {} to {} for period {}; expected finite numbers, the lower one first", band.share, band.low[h], band.high[h], h + 1));
  }
  return band;
}

void check_history(const data::Panel& panel, const data::SeriesPreprocess& preprocess, const data::Panel::Series& s) {
  if (s.end - s.begin >= preprocess.history()) return;
  throw DataError(kWhere, fmt::format("series \"{}\": got {} periods, up to {}; expected at least {}: so far back the model looks", s.name, s.end - s.begin, panel.time_text(s.end - 1), preprocess.history()));
}

void check_known(const data::Panel& panel, const data::SeriesPreprocess& preprocess, const data::Panel::Series& s, int64_t horizon) {
  for (size_t k = 0; k < s.known.size(); ++k) {
    for (int64_t p = s.end; p < s.end + horizon; ++p) {
      if (p < panel.periods && !std::isnan(s.known[k][static_cast<size_t>(p)])) continue;
      throw DataError(kWhere, fmt::format("series \"{}\": got no \"{}\" for {}; expected rows behind the last value, for all {} periods to foretell, with what is known of them in advance",
                                          s.name, preprocess.options().known[k], panel.time_text(p), horizon));
    }
  }
}

}  // namespace

Forecaster::Forecaster(const fs::path& given) {
  const fs::path directory = bundle_directory(given), config_path = directory / kConfigFile, preprocess_path = directory / kPreprocessFile, weights = directory / kModelFile;
  const std::string source = config_path.string();
  config_ = read_json(config_path);
  try {
    check_format(config_, kFormat, source, kWhere);
    preprocess_ = data::SeriesPreprocess::from_json(read_json(preprocess_path), preprocess_path.string());
    name_ = config_.at("name").get<std::string>();
    config_.at("notice").get<std::string>();
    missing_ = {config_.at("missing").at("words").get<std::vector<std::string>>(), config_.at("missing").at("quoted").get<bool>()};
    for (const Json& band : config_.at("intervals")) bands_.push_back(read_band(band, preprocess_.horizon(), source));
  } catch (const Json::exception& error) {
    throw DataError(kWhere, fmt::format("{}: {}", source, error.what()));
  }
  make_bounded(weights, source, kWhere, [&] {
    model_ = models::parse_model(config_.at("model")).make({preprocess_.rows(), preprocess_.channels()}, preprocess_.horizon());
  });
  train::load_checkpoint(weights, *model_);
  model_->eval();
}

Tensor Forecaster::run(const Tensor& x) const {
  const NoGrad no_grad;
  return (*model_)(x);
}

std::vector<Forecast> Forecaster::forecast(const data::Table& table, std::optional<int64_t> horizon) const { return answer(table, horizon, false); }
std::vector<Forecast> Forecaster::explain(const data::Table& table, std::optional<int64_t> horizon) const { return answer(table, horizon, true); }

std::vector<Forecast> Forecaster::answer(const data::Table& table, std::optional<int64_t> asked, bool explains) const {
  const int64_t horizon = asked.value_or(preprocess_.horizon());
  if (horizon < 1 || horizon > preprocess_.horizon()) throw DataError(kWhere, fmt::format("horizon: got {}; expected 1 to {}, which the model was trained for", horizon, preprocess_.horizon()));
  const data::Panel panel = read_panel(table);
  for (const data::Panel::Series& s : panel.series) {
    check_history(panel, preprocess_, s);
    check_known(panel, preprocess_, s, horizon);
  }
  std::vector<Forecast> all;
  const int64_t count = std::ssize(panel.series), at_once = std::max<int64_t>(1, kMostAtOnce / (preprocess_.rows() * preprocess_.channels()));
  for (int64_t begin = 0; begin < count; begin += at_once) forecast_some(panel, begin, std::min(begin + at_once, count), horizon, explains, all);
  return all;
}

data::Panel Forecaster::read_panel(const data::Table& table) const {
  const int64_t most = kSpareCells + kCellsPerValue * table.num_rows() * std::ssize(preprocess_.options().values) * (1 + std::ssize(preprocess_.options().known));
  try {
    return data::read_series(table, preprocess_.options(), std::min(most, data::kMostCells));
  } catch (const ConfigError& error) {  // the options are those of training: it is the table that does not fit them
    throw DataError(kWhere, error.message());
  }
}

void Forecaster::forecast_some(const data::Panel& panel, int64_t begin, int64_t end, int64_t horizon, bool explains, std::vector<Forecast>& all) const {
  const int64_t size = preprocess_.rows() * preprocess_.channels();
  Tensor x = Tensor::empty({end - begin, preprocess_.rows(), preprocess_.channels()});
  std::vector<data::ForecastFrame> frames;
  for (int64_t i = begin; i < end; ++i) {
    frames.push_back(preprocess_.encode(panel, i, panel.series[static_cast<size_t>(i)].end, x.mutable_span().subspan(static_cast<size_t>((i - begin) * size), static_cast<size_t>(size))));
  }
  const Tensor outputs = run(x);
  for (size_t i = 0; i < frames.size(); ++i) {
    const data::ForecastFrame& frame = frames[i];
    const data::Panel::Series& s = panel.series[static_cast<size_t>(begin) + i];
    Forecast forecast{s.name, {}, config_.value("notice", "")};
    for (int64_t h = 0; h < horizon; ++h) {
      const auto step = static_cast<size_t>(h);
      const double value = frame.reference[step] + frame.scale * static_cast<double>(outputs.data()[static_cast<int64_t>(i) * preprocess_.horizon() + h]);
      if (!std::isfinite(value)) throw DataError(kWhere, fmt::format("series \"{}\": the model has no finite forecast; the values may be far outside of what was trained on", s.name));
      Forecast::Step one{panel.time_text(s.end + h), value, {}};
      for (const eval::ResidualBand& band : bands_) one.intervals.push_back({band.share, value + frame.scale * band.low[step], value + frame.scale * band.high[step]});
      forecast.steps.push_back(std::move(one));
    }
    all.push_back(std::move(forecast));
  }
  if (explains) add_influences(x, outputs, frames, std::span(all).last(frames.size()));
}

void Forecaster::add_influences(const Tensor& x, const Tensor& outputs, std::span<const data::ForecastFrame> frames, std::span<Forecast> forecasts) const {
  const int64_t size = x.shape().inner(0), horizon = preprocess_.horizon();
  for (const data::SeriesInput& input : data::series_inputs(preprocess_)) {
    Tensor without = x.clone();
    for (int64_t n = 0; n < x.size(0); ++n) {
      for (const int64_t cell : input.cells) without.mutable_data()[n * size + cell] = 0;
    }
    const Tensor others = run(without);
    for (size_t n = 0; n < forecasts.size(); ++n) {
      Forecast::Influence influence{input.name, {}};
      for (int64_t h = 0; h < std::ssize(forecasts[n].steps); ++h) {
        const int64_t at = static_cast<int64_t>(n) * horizon + h;
        influence.by_step.push_back(frames[n].scale * static_cast<double>(outputs.data()[at] - others.data()[at]));
      }
      forecasts[n].influences.push_back(std::move(influence));
    }
  }
  const auto size_of = [](const Forecast::Influence& influence) {
    double sum = 0;
    for (const double value : influence.by_step) sum += std::abs(value);
    return sum;
  };
  for (Forecast& forecast : forecasts) std::stable_sort(forecast.influences.begin(), forecast.influences.end(), [&](const auto& a, const auto& b) { return size_of(a) > size_of(b); });
}

Json to_json(const Forecast& forecast) {
  Json steps = Json::array();
  for (const Forecast::Step& step : forecast.steps) {
    Json one = {{"time", step.time}, {"value", step.value}};
    for (const Forecast::Interval& i : step.intervals) one["intervals"].push_back({{"share", i.share}, {"low", i.low}, {"high", i.high}});
    steps.push_back(std::move(one));
  }
  Json json = {{"series", forecast.series}, {"forecast", std::move(steps)}};
  if (!forecast.notice.empty()) json["notice"] = forecast.notice;
  for (const Forecast::Influence& influence : forecast.influences) json["explanation"]["influences"].push_back({{"input", influence.input}, {"by_step", influence.by_step}});
  return json;
}

bool is_forecaster(const fs::path& given) { return has_format(given, kFormat); }

void write_forecaster(const fs::path& directory, const ForecasterBundle& bundle, const nn::Module& model, const data::SeriesPreprocess& preprocess) {
  make_directories(directory);
  train::save_checkpoint(directory / kModelFile, model, nullptr, Json::object());
  write_json(directory / kPreprocessFile, preprocess.to_json());
  Json config = format_fields(kFormat);
  config.update({{"name", bundle.name}, {"notice", bundle.notice}, {"missing", {{"words", bundle.missing.words}, {"quoted", bundle.missing.quoted}}}, {"model", bundle.model}, {"intervals", to_json(bundle.bands)},
                 {"training", bundle.training}});
  write_json(directory / kConfigFile, config);
}

}  // namespace danlu::infer
