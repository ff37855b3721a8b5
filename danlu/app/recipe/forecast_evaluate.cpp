// From bundle to numbers: the test part is read here alone, by weights that come from disk.
#include <algorithm>
#include <cmath>

#include "danlu/app/explain/forecast_importance.h"
#include "danlu/app/recipe/forecast_pipeline.h"
#include "danlu/app/recipe/interval_name.h"
#include "danlu/app/recipe/latency.h"
#include "danlu/base/format.h"
#include "danlu/base/timer.h"
#include "danlu/eval/measure_json.h"
#include "danlu/eval/text_table.h"

namespace danlu::app {
namespace {

constexpr size_t kWindowsAtOnce = 256;
constexpr size_t kMostExplained = 1000;
constexpr size_t kExamples = 4;       // origins that the report draws
constexpr int64_t kDrawnPast = 3;     // horizons in front of each
constexpr int64_t kMostExampleRows = 2000;

std::string interval_text(const eval::Interval& i) { return std::isfinite(i.low) ? fmt::format("{:.4g} to {:.4g}", i.low, i.high) : ""; }

Json baseline_json(const eval::ForecastReport& report, const eval::PairedComparison& gain) {
  return {{"metrics", eval::to_json(report)}, {"gain", eval::to_json(gain)}, {"rmse_by_step", eval::numbers_or_null(report.rmse_by_step)}};
}

// The forecasts of a bundle's interval, and how well it held.
struct Held {
  double share;
  std::vector<double> low, high;
  eval::Coverage coverage;
};

Json to_json(const Held& held) {
  return {{"share", held.share}, {"held", held.coverage.share}, {"interval", eval::to_json(held.coverage.interval)}, {"width", held.coverage.width}};
}

}  // namespace

ForecastPipeline::Forecasts ForecastPipeline::foretell(const std::vector<data::Origin>& origins, const std::function<Tensor(const Tensor&)>& run) {
  const data::Panel& panel = source().panel;
  const data::SeriesPreprocess& preprocess = source().preprocess;
  const int64_t size = preprocess.rows() * preprocess.channels();
  std::vector<double> naive_errors;
  for (const data::Panel::Series& s : panel.series) naive_errors.push_back(data::seasonal_difference(s, source().split.training_end, preprocess.season()));
  Forecasts found;
  found.walk.horizon = preprocess.horizon();
  for (size_t begin = 0; begin < origins.size(); begin += kWindowsAtOnce) {
    const auto piece = std::span(origins).subspan(begin, std::min(kWindowsAtOnce, origins.size() - begin));
    Tensor x = Tensor::empty({std::ssize(piece), preprocess.rows(), preprocess.channels()});
    std::vector<data::ForecastFrame> frames;
    for (const data::Origin& origin : piece) {
      const auto row = x.mutable_span().subspan(frames.size() * static_cast<size_t>(size), static_cast<size_t>(size));
      frames.push_back(preprocess.encode(panel, origin.series, origin.period, row));
    }
    const Tensor outputs = run(x);
    for (size_t i = 0; i < piece.size(); ++i) {
      const data::ForecastFrame& frame = frames[i];
      const float* output = outputs.data() + static_cast<int64_t>(i) * preprocess.horizon();
      for (size_t h = 0; h < frame.reference.size(); ++h) {
        found.model.push_back(frame.reference[h] + frame.scale * static_cast<double>(output[h]));
        found.seasonal.push_back(frame.seasonal[h]);
        found.naive.push_back(frame.last);
      }
      const std::vector<double> truth = data::truth_at(panel, preprocess, piece[i]);
      found.walk.truth.insert(found.walk.truth.end(), truth.begin(), truth.end());
      found.walk.origins.push_back(piece[i].period);
      found.walk.naive_error.push_back(naive_errors[static_cast<size_t>(piece[i].series)]);
      found.scales.push_back(frame.scale);
    }
  }
  return found;
}

// Origins spread over the test part, each of another series where there are several: the past, the truth and the forecast.
Json ForecastPipeline::examples(const Forecasts& forecasts, const std::vector<data::Origin>& origins, const infer::Forecaster& forecaster) {
  const data::Panel& panel = source().panel;
  const int64_t horizon = forecasts.walk.horizon;
  Json list = Json::array();
  const size_t count = std::min(kExamples, origins.size());
  for (size_t e = 0; e < count; ++e) {
    size_t at = count < 2 ? 0 : e * (origins.size() - 1) / (count - 1);
    for (size_t tries = 0; tries < panel.series.size() && at + 1 < origins.size() && origins[at].series != static_cast<int64_t>(e % panel.series.size()); ++tries) ++at;
    const data::Origin& origin = origins[at];
    const data::Panel::Series& s = panel.series[static_cast<size_t>(origin.series)];
    const int64_t begin = std::max(s.begin, origin.period - std::max(kDrawnPast * horizon, std::min(source().preprocess.season(), 10 * horizon)));
    const auto values = std::span(s.values).subspan(static_cast<size_t>(begin), static_cast<size_t>(origin.period - begin));
    const size_t first = at * static_cast<size_t>(horizon), steps = static_cast<size_t>(horizon);
    Json intervals = Json::array();
    for (const eval::ResidualBand& band : forecaster.bands()) {
      std::vector<double> low, high;
      for (size_t h = 0; h < steps; ++h) {
        low.push_back(forecasts.model[first + h] + forecasts.scales[at] * band.low[h]);
        high.push_back(forecasts.model[first + h] + forecasts.scales[at] * band.high[h]);
      }
      intervals.push_back({{"share", band.share}, {"low", eval::numbers_or_null(low)}, {"high", eval::numbers_or_null(high)}});
    }
    list.push_back({{"series", s.name}, {"from", panel.time_text(begin)}, {"origin", panel.time_text(origin.period)}, {"past", eval::numbers_or_null(values)},
                    {"truth", eval::numbers_or_null(std::span(forecasts.walk.truth).subspan(first, steps))}, {"forecast", eval::numbers_or_null(std::span(forecasts.model).subspan(first, steps))},
                    {"seasonal_naive", eval::numbers_or_null(std::span(forecasts.seasonal).subspan(first, steps))}, {"intervals", intervals}});
  }
  return list;
}

// The last history of the table as the body of POST /v1/forecast.
Json ForecastPipeline::example_request(const infer::Forecaster& forecaster) {
  const data::SeriesOptions& o = source().preprocess.options();
  const data::Panel& panel = source().panel;
  Json rows = Json::array();
  const size_t columns = o.values.size();
  for (size_t id = 0; id * columns < panel.series.size() && std::ssize(rows) < kMostExampleRows; ++id) {
    const data::Panel::Series* of_id = &panel.series[id * columns];
    int64_t origin = of_id->end;
    for (size_t v = 0; v < columns; ++v) origin = std::min(origin, of_id[v].end);
    if (!o.known.empty()) origin -= forecaster.preprocess().horizon();  // so that something is known of what comes
    for (int64_t p = std::max(of_id->begin, origin - forecaster.preprocess().history()); p < (o.known.empty() ? origin : origin + forecaster.preprocess().horizon()); ++p) {
      const auto period = static_cast<size_t>(p);
      Json row = Json::object();
      if (!o.time.empty()) row[o.time] = panel.has_dates ? Json(panel.time_text(p)) : Json(panel.times[period]);
      if (!o.id.empty()) row[o.id] = columns == 1 ? of_id->name : of_id->name.substr(0, of_id->name.size() - o.values[0].size() - 1);
      for (size_t v = 0; v < columns; ++v) row[o.values[v]] = p < origin ? eval::number_or_null(of_id[v].values[period]) : Json(nullptr);
      for (size_t k = 0; k < o.known.size(); ++k) row[o.known[k]] = eval::number_or_null(of_id->known[k][period]);
      rows.push_back(std::move(row));
    }
  }
  return {{"model", forecaster.name()}, {"rows", std::move(rows)}};
}

// What the inputs are worth, on windows spread evenly over the test part.
Json ForecastPipeline::explain(const infer::Forecaster& forecaster, const std::vector<data::Origin>& origins) {
  const Timer timer;
  const double seconds = recipe_.evaluate.explain_seconds;
  if (seconds <= 0) return nullptr;
  const data::SeriesPreprocess& preprocess = source().preprocess;
  const size_t step = (origins.size() + kMostExplained - 1) / kMostExplained, size = static_cast<size_t>(preprocess.rows() * preprocess.channels());
  const size_t count = (origins.size() + step - 1) / step;
  ForecastWindows windows{Tensor::empty({static_cast<int64_t>(count), preprocess.rows(), preprocess.channels()}), {}, {}, {}};
  for (size_t i = 0; i < count; ++i) {
    const data::Origin& origin = origins[i * step];
    const data::ForecastFrame frame = preprocess.encode(source().panel, origin.series, origin.period, windows.x.mutable_span().subspan(i * size, size));
    const std::vector<double> truth = data::truth_at(source().panel, preprocess, origin);
    windows.reference.insert(windows.reference.end(), frame.reference.begin(), frame.reference.end());
    windows.truth.insert(windows.truth.end(), truth.begin(), truth.end());
    windows.scale.push_back(frame.scale);
  }
  const Json importance = forecast_importance(forecaster, windows, seconds);
  return {{"input", "series"}, {"importance", importance}, {"seconds", timer.seconds()}};
}

Evaluation ForecastPipeline::measure() {
  const infer::Forecaster forecaster(directory_.bundle());
  const eval::BootstrapOptions& bootstrap = recipe_.evaluate.report.bootstrap;
  const std::vector<data::Origin> tested = origins(data::Part::test);
  const Timer timer;
  const CpuTimer cpu;
  const Forecasts f = foretell(tested, [&](const Tensor& x) { return forecaster.run(x); });
  const Effort batches{timer.seconds(), cpu.seconds()};
  eval::ForecastReport quality = eval::measure_forecast(f.walk, f.model, bootstrap);
  const eval::ForecastReport naive = eval::measure_forecast(f.walk, f.naive, bootstrap), seasonal = eval::measure_forecast(f.walk, f.seasonal, bootstrap);
  const eval::PairedComparison over_naive = eval::compare_rmse(f.walk, f.naive, f.model, bootstrap), over_seasonal = eval::compare_rmse(f.walk, f.seasonal, f.model, bootstrap);
  const eval::ForecastReport::Metric skill = eval::skill_over(f.walk, f.model, f.seasonal, bootstrap);
  std::vector<Held> held;
  for (const eval::ResidualBand& band : forecaster.bands()) {
    Held one{band.share, f.model, f.model, {}};
    for (size_t i = 0; i < f.model.size(); ++i) {
      const size_t step = i % static_cast<size_t>(f.walk.horizon), window = i / static_cast<size_t>(f.walk.horizon);
      one.low[i] += f.scales[window] * band.low[step];
      one.high[i] += f.scales[window] * band.high[step];
    }
    one.coverage = eval::measure_coverage(f.walk, one.low, one.high, bootstrap);
    held.push_back(std::move(one));
  }

  Json json = {{"task", "forecast"}, {"samples", quality.windows}, {"measured", quality.measured}, {"blocks", quality.blocks}, {"confidence", bootstrap.confidence}, {"metrics", eval::to_json(quality)}};
  json["metrics"]["skill"] = eval::measure_json(skill.value, "higher", skill.interval);
  json["baselines"] = {{"seasonal naive", baseline_json(seasonal, over_seasonal)}, {"naive", baseline_json(naive, over_naive)}};
  json["rmse_by_step"] = eval::numbers_or_null(quality.rmse_by_step);
  json["intervals"] = Json::array();
  for (const Held& one : held) json["intervals"].push_back(to_json(one));
  json["weights_hash"] = forecaster.config().value("training", Json::object()).value("weights_hash", Json(nullptr));
  json["samples_per_second"] = static_cast<double>(quality.windows) / batches.seconds;

  using enum eval::TextTable::Align;
  eval::TextTable table({left, right, left, right, right});
  table.add_row({"", "model", interval_name(json), "seasonal naive", "naive"});
  for (size_t i = 0; i < quality.metrics.size(); ++i) {
    const auto& m = quality.metrics[i];
    table.add_row({m.name, fmt::format("{:.4g}", m.value), interval_text(m.interval), fmt::format("{:.4g}", seasonal.metrics[i].value), fmt::format("{:.4g}", naive.metrics[i].value)});
  }
  std::string page = table.str() + fmt::format("RMSE below seasonal naive by {:.4g}, {} {}; that is {:.1f} % of it\n", over_seasonal.difference, interval_name(json), interval_text(over_seasonal.interval), 100 * skill.value);
  for (const Held& one : held) {
    page += fmt::format("intervals of {:.0f} % held {:.1f} %, {} {}, mean width {:.4g}\n", 100 * one.share, 100 * one.coverage.share, interval_name(json), interval_text(one.coverage.interval), one.coverage.width);
  }
  page += fmt::format("walking forward over {} windows of {} periods, from {} on, {} values measured; trained once, before all of them; intervals over {} blocks of time\n", quality.windows, f.walk.horizon,
                      source().panel.time_text(source().split.validation_end), quality.measured, quality.blocks);

  Json details;
  const std::optional<double>& price = recipe_.evaluate.price_per_hour;
  details["cost"] = {{"forecasts in batches", per_thousand(static_cast<double>(quality.windows), batches, price)}};
  details["forecasts"] = examples(f, tested, forecaster);
  Json series = Json::array(), times = Json::array();
  for (const data::Origin& origin : tested) {
    series.push_back(source().panel.series[static_cast<size_t>(origin.series)].name);
    times.push_back(source().panel.time_text(origin.period));
  }
  write_json(directory_.file("forecasts.json"), {{"horizon", f.walk.horizon}, {"series", series}, {"origins", times}, {"forecasts", eval::numbers_or_null(f.model)}});
  const Json explanation = explain(forecaster, tested);
  if (explanation.is_null()) directory_.remove({"explanation.json"});
  else write_json(directory_.file("explanation.json"), explanation);
  return {.measured = std::move(json), .text = page, .details = std::move(details), .example_request = example_request(forecaster)};
}

}  // namespace danlu::app
