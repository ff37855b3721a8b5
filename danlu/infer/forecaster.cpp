#include "danlu/infer/forecaster.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/infer/bounded_model.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/train/checkpoint.h"

namespace danlu::infer {
namespace {

constexpr const char* kWhere = "infer.forecaster";
constexpr const char* kFormat = "danlu-forecaster";
constexpr int64_t kFormatVersion = 1;
constexpr const char* kModelFile = "model.safetensors";
constexpr const char* kConfigFile = "config.json";
constexpr const char* kPreprocessFile = "preprocess.json";

fs::path bundle_of(const fs::path& given) { return fs::exists(given / "bundle" / kConfigFile) ? given / "bundle" : given; }

Json to_json(const std::vector<eval::ResidualBand>& bands) {
  Json json = Json::array();
  for (const eval::ResidualBand& band : bands) json.push_back({{"share", band.share}, {"low", band.low}, {"high", band.high}});
  return json;
}

data::SeriesPreprocess read_preprocess(const fs::path& directory) {
  const fs::path path = directory / kPreprocessFile;
  return data::SeriesPreprocess::from_json(read_json(path), path.string());
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

Forecaster::Forecaster(const fs::path& given) : config_(read_json(bundle_of(given) / kConfigFile)), preprocess_(read_preprocess(bundle_of(given))) {
  const fs::path directory = bundle_of(given), config_path = directory / kConfigFile, weights = directory / kModelFile;
  const std::string source = config_path.string();
  try {
    if (config_.at("format") != kFormat) throw DataError(kWhere, fmt::format("{}: not the configuration of a forecaster", source));
    if (config_.at("format_version").get<int64_t>() > kFormatVersion) {
      throw DataError(kWhere, fmt::format("{}: format_version: got {}; this program reads up to {}: take a newer danlu", source, to_line(config_.at("format_version")), kFormatVersion));
    }
    name_ = config_.at("name").get<std::string>();
    config_.at("notice").get<std::string>();
    missing_ = {config_.at("missing").at("words").get<std::vector<std::string>>(), config_.at("missing").at("quoted").get<bool>()};
    for (const Json& band : config_.at("intervals")) {
      bands_.push_back({band.at("share").get<double>(), band.at("low").get<std::vector<double>>(), band.at("high").get<std::vector<double>>()});
      const auto horizon = static_cast<size_t>(preprocess_.horizon());
      if (bands_.back().low.size() != horizon || bands_.back().high.size() != horizon) throw DataError(kWhere, fmt::format("{}: intervals: expected bounds for each of {} periods", source, horizon));
    }
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

std::vector<Forecast> Forecaster::forecast(const data::Table& table, std::optional<int64_t> asked) const {
  const int64_t horizon = asked.value_or(preprocess_.horizon());
  if (horizon < 1 || horizon > preprocess_.horizon()) throw DataError(kWhere, fmt::format("horizon: got {}; expected 1 to {}, which the model was trained for", horizon, preprocess_.horizon()));
  const data::Panel panel = data::read_series(table, preprocess_.options());
  const int64_t count = std::ssize(panel.series), size = preprocess_.rows() * preprocess_.channels();
  Tensor x = Tensor::empty({count, preprocess_.rows(), preprocess_.channels()});
  std::vector<data::ForecastFrame> frames;
  for (int64_t i = 0; i < count; ++i) {
    const data::Panel::Series& s = panel.series[static_cast<size_t>(i)];
    if (s.end - s.begin < preprocess_.history()) {
      throw DataError(kWhere, fmt::format("series \"{}\": got {} periods, up to {}; expected at least {}: so far back the model looks", s.name, s.end - s.begin, panel.time_text(s.end - 1), preprocess_.history()));
    }
    check_known(panel, preprocess_, s, horizon);
    frames.push_back(preprocess_.encode(panel, i, s.end, x.mutable_span().subspan(static_cast<size_t>(i * size), static_cast<size_t>(size))));
  }
  const Tensor outputs = run(x);
  std::vector<Forecast> all;
  for (size_t i = 0; i < frames.size(); ++i) {
    const data::ForecastFrame& frame = frames[i];
    const data::Panel::Series& s = panel.series[i];
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
  return all;
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
  return json;
}

bool is_forecaster(const fs::path& given) {
  const fs::path path = bundle_of(given) / kConfigFile;
  if (!fs::exists(path)) return false;
  const Json config = read_json(path);
  return config.is_object() && config.value("format", Json()) == kFormat;
}

void write_forecaster(const fs::path& directory, const ForecasterBundle& bundle, const nn::Module& model, const data::SeriesPreprocess& preprocess) {
  make_directories(directory);
  train::save_checkpoint(directory / kModelFile, model, nullptr, Json::object());
  write_json(directory / kPreprocessFile, preprocess.to_json());
  write_json(directory / kConfigFile, {{"format", kFormat}, {"format_version", kFormatVersion}, {"name", bundle.name}, {"notice", bundle.notice},
                                       {"missing", {{"words", bundle.missing.words}, {"quoted", bundle.missing.quoted}}}, {"model", bundle.model}, {"intervals", to_json(bundle.bands)}, {"training", bundle.training}});
}

}  // namespace danlu::infer
