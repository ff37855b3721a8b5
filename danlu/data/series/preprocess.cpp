#include "danlu/data/series/preprocess.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/table/saved_state.h"
#include "danlu/data/table/statistics.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.series";
constexpr int64_t kWave = 4, kWeek = 7;  // channels

// The value at a period; nothing outside of the panel.
double at(const std::vector<double>& values, int64_t period) {
  return period >= 0 && period < std::ssize(values) ? values[static_cast<size_t>(period)] : std::numeric_limits<double>::quiet_NaN();
}

void fill_gaps(std::span<double> values) {
  size_t before = values.size();  // the last one with a value
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i])) continue;
    const size_t first = before == values.size() ? 0 : before + 1;
    for (size_t gap = first; gap < i; ++gap) {
      const double part = static_cast<double>(gap - before) / static_cast<double>(i - before);
      values[gap] = first == 0 ? values[i] : values[before] + part * (values[i] - values[before]);
    }
    before = i;
  }
  if (before == values.size()) return;
  for (size_t gap = before + 1; gap < values.size(); ++gap) values[gap] = values[before];
}

// The mean of measure(difference) over a season, or where there are none from one period to the next; 0 if nothing changes.
template <class Measure>
double mean_difference(const Panel::Series& s, int64_t end, int64_t season, const Measure& measure) {
  for (const int64_t distance : {season, int64_t{1}}) {
    double sum = 0;
    int64_t count = 0;
    for (int64_t p = s.begin + distance; p < std::min(end, s.end); ++p) {
      const double difference = at(s.values, p) - at(s.values, p - distance);
      if (std::isnan(difference)) continue;
      sum += measure(difference);
      ++count;
    }
    if (count > 0 && sum > 0) return sum / static_cast<double>(count);
  }
  return 0;
}

double root_mean_square_difference(const Panel::Series& s, int64_t end, int64_t season) {
  return std::sqrt(mean_difference(s, end, season, [](double d) { return d * d; }));
}

void write_wave(double part, float* out) {
  for (int harmonic = 1; harmonic <= 2; ++harmonic) {
    const double angle = 2 * std::numbers::pi * harmonic * part;
    *out++ = static_cast<float>(std::sin(angle));
    *out++ = static_cast<float>(std::cos(angle));
  }
}

}  // namespace

double seasonal_difference(const Panel::Series& series, int64_t end, int64_t season) {
  return mean_difference(series, end, season, [](double d) { return std::abs(d); });
}

SeriesPreprocess SeriesPreprocess::of(const SeriesOptions& options) {
  SeriesPreprocess p;
  p.options_ = options;
  const int64_t seasons_back = (p.horizon() + p.season() - 1) / p.season() * p.season();
  p.history_ = std::max(p.length(), seasons_back);
  for (const int64_t lag : options.lags) p.history_ = std::max(p.history_, p.length() + lag);
  return p;
}

SeriesPreprocess SeriesPreprocess::fit(const Panel& panel, const SeriesOptions& options, int64_t training_end) {
  SeriesPreprocess p = of(options);
  std::vector<double> sorted;
  for (const Panel::Series& s : panel.series) {
    const double scale = root_mean_square_difference(s, training_end, p.season());
    if (scale > 0) sorted.push_back(p.scales_[s.name] = scale);
    else p.constant_.push_back(s.name);
  }
  if (sorted.empty()) {
    const Panel::Series& s = panel.series.front();
    throw DataError(kWhere, fmt::format("the series \"{}\" never changes before {}: it is {} throughout{}; expected something to learn", s.name, panel.time_text(training_end), s.values[static_cast<size_t>(s.begin)],
                                        panel.series.size() > 1 ? ", and so it is with the others" : ""));
  }
  std::sort(sorted.begin(), sorted.end());
  p.usual_scale_ = sorted[sorted.size() / 2];
  for (size_t k = 0; k < options.known.size(); ++k) {
    std::vector<double> values;  // gaps among them, which count for nothing
    for (const Panel::Series& s : panel.series) values.insert(values.end(), s.known[k].begin(), s.known[k].begin() + std::min(training_end, panel.periods));
    const Moments moments = moments_of(values);
    if (!std::isfinite(moments.mean) || !std::isfinite(moments.deviation)) {
      throw DataError(kWhere, fmt::format("data.series.known: \"{}\": got numbers whose squares are too large to be added; expected smaller ones: give them in another unit", options.known[k]));
    }
    p.known_mean_.push_back(moments.mean);
    p.known_std_.push_back(moments.deviation > 0 ? moments.deviation : 1);
  }
  return p;
}

Json SeriesPreprocess::to_json() const {
  Json scales = Json::array();
  for (const auto& [name, scale] : scales_) scales.push_back({{"series", name}, {"scale", scale}});
  return {{"kind", "series"}, {"options", write_options(options_)}, {"scales", scales}, {"usual_scale", usual_scale_}, {"known_mean", known_mean_}, {"known_std", known_std_}};
}

SeriesPreprocess SeriesPreprocess::from_json(const Json& json, const std::string& source) {
  const SavedState state(json, source);
  if (state.text("kind") != "series") state.fail("kind", "series");
  SeriesOptions options;
  try {
    read_options(json.at("options"), options);
    options = resolve_series_options(options, Frequency::parse(options.frequency));
  } catch (const Json::exception& error) {
    throw DataError(kWhere, fmt::format("{}: {}", source, error.what()));
  } catch (const ConfigError& error) {
    throw DataError(kWhere, fmt::format("{}: {}", source, error.message()));
  }
  if (options.values.empty()) throw DataError(kWhere, fmt::format("{}: options.values: got none; expected the columns that are foretold; the file is damaged", source));
  SeriesPreprocess p = of(options);
  for (const Json& one : state.list("scales")) {
    const SavedState scale(one, source);
    if (!(scale.number("scale") > 0)) scale.fail("scale", "a number above 0");
    p.scales_[scale.text("series")] = scale.number("scale");
  }
  p.usual_scale_ = state.number("usual_scale");
  p.known_mean_ = state.numbers("known_mean");
  p.known_std_ = state.numbers("known_std");
  const auto positive = [](double v) { return v > 0; };
  if (!positive(p.usual_scale_)) state.fail("usual_scale", "a number above 0");
  if (p.known_mean_.size() != p.options_.known.size()) state.fail("known_mean", "one for each column of known");
  if (p.known_std_.size() != p.options_.known.size() || !std::all_of(p.known_std_.begin(), p.known_std_.end(), positive)) state.fail("known_std", "one above 0 for each column of known");
  return p;
}

int64_t SeriesPreprocess::channels() const {
  int64_t count = 1 + std::ssize(options_.lags) + std::ssize(options_.known);
  for (const std::string& part : options_.calendar) count += calendar_channels(part);
  return count;
}

int64_t SeriesPreprocess::calendar_channels(const std::string& part) { return part == "weekday" ? kWeek : kWave; }

double SeriesPreprocess::scale_of(const Panel::Series& series, int64_t end) const {
  if (const auto found = scales_.find(series.name); found != scales_.end()) return found->second;
  const double own = root_mean_square_difference(series, end, season());
  return own > 0 ? own : usual_scale_;
}

bool SeriesPreprocess::can_encode(const Panel& panel, int64_t series, int64_t origin) const {
  const std::vector<double>& values = panel.series[static_cast<size_t>(series)].values;
  for (int64_t p = origin - length(); p < origin; ++p) {
    if (!std::isnan(at(values, p))) return true;
  }
  return false;
}

void SeriesPreprocess::write_calendar(const Panel& panel, int64_t period, float* out) const {
  if (options_.calendar.empty()) return;
  const CalendarTime time = calendar_time(panel.frequency.later(panel.times.front(), period));
  for (const std::string& part : options_.calendar) {
    if (part == "weekday") {
      for (int64_t day = 0; day < kWeek; ++day) *out++ = day == time.weekday ? 1.0f : 0.0f;
      continue;
    }
    write_wave(part == "day" ? time.day : time.year, out);
    out += kWave;
  }
}

ForecastFrame SeriesPreprocess::encode(const Panel& panel, int64_t series, int64_t origin, std::span<float> x) const {
  const Panel::Series& s = panel.series[static_cast<size_t>(series)];
  std::vector<double> past(static_cast<size_t>(history_));
  for (int64_t i = 0; i < history_; ++i) past[static_cast<size_t>(i)] = at(s.values, origin - history_ + i);
  fill_gaps(past);
  const auto before = [&](int64_t periods) { return past[static_cast<size_t>(history_ - periods)]; };  // the origin

  ForecastFrame frame;
  frame.last = past.back();
  frame.scale = scale_of(s, origin);
  for (int64_t h = 0; h < horizon(); ++h) {
    frame.seasonal.push_back(before(season() * (h / season() + 1) - h));
    frame.reference.push_back(options_.reference == "season" ? frame.seasonal.back() : frame.last);
  }
  const int64_t width = channels();
  for (int64_t row = 0; row < rows(); ++row) {
    float* out = x.data() + row * width;
    const int64_t ahead = row - length(), period = origin + ahead;  // below 0: the past
    const auto scaled = [&](double value) { return static_cast<float>((value - frame.last) / frame.scale); };
    *out++ = scaled(ahead < 0 ? before(-ahead) : frame.reference[static_cast<size_t>(ahead)]);
    for (const int64_t lag : options_.lags) *out++ = scaled(before(lag - ahead));
    for (size_t k = 0; k < s.known.size(); ++k) {
      const double value = at(s.known[k], period);
      *out++ = std::isnan(value) ? 0.0f : static_cast<float>((value - known_mean_[k]) / known_std_[k]);
    }
    write_calendar(panel, period, out);
  }
  return frame;
}

}  // namespace danlu::data
