#include "danlu/data/series/report.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::data {
namespace {

constexpr size_t kShown = 8;            // series
constexpr double kManyMissing = 0.2;    // of the periods between the first value and the last
constexpr int64_t kFewBlocks = 5;       // stretches of a horizon, to measure on

struct Summary {
  double low = HUGE_VAL, high = -HUGE_VAL, sum = 0;
  int64_t measured = 0, missing = 0, gaps = 0, longest = 0;
};

Summary summarize(const Panel::Series& s) {
  Summary found;
  int64_t gap = 0;
  for (int64_t p = s.begin; p < s.end; ++p) {
    const double v = s.values[static_cast<size_t>(p)];
    if (std::isnan(v)) {
      ++found.missing;
      found.gaps += ++gap == 1;
      found.longest = std::max(found.longest, gap);
      continue;
    }
    gap = 0;
    ++found.measured;
    found.sum += v;
    found.low = std::min(found.low, v);
    found.high = std::max(found.high, v);
  }
  return found;
}

class Findings {
 public:
  void add(bool applies, const char* severity, const char* check, const std::string& column, const std::string& text) {
    if (applies) list.push_back({{"severity", severity}, {"check", check}, {"column", column}, {"text", text}});
  }
  Json list = Json::array();
};

}  // namespace

TimeSplit split_in_time(const Panel& panel, const SplitOptions& options, int64_t history, int64_t horizon) {
  const auto refuse = [](const char* key, const std::string& got) { throw ConfigError("data.series", fmt::format("data.split.{}: got {}; expected none: series are divided in time, the last periods test", key, got)); };
  if (!options.column.empty()) refuse("column", options.column);
  if (options.method == "random") refuse("method", options.method);
  TimeSplit split;
  for (const Panel::Series& s : panel.series) split.end = std::max(split.end, s.end);
  const auto share = [&](double part) { return static_cast<int64_t>(std::llround(part * static_cast<double>(split.end))); };
  split.validation_end = split.end - share(options.test);
  split.training_end = split.validation_end - share(options.validation);
  const auto too_short = [&](const char* part, int64_t periods, int64_t needed, double of_all) {
    throw DataError("data.series", fmt::format("the {} part has {} of {} periods; expected at least {}, for {}; take a shorter data.series.horizon, length or season, another data.split, or a series of {} periods",
                                               part, periods, split.end, needed, needed == horizon ? "one horizon" : fmt::format("a window of {} to look at and {} to foretell", history, horizon),
                                               static_cast<int64_t>(std::ceil(static_cast<double>(needed) / of_all))));
  };
  if (split.training_end < history + horizon) too_short("training", split.training_end, history + horizon, 1 - options.validation - options.test);
  if (options.validation > 0 && split.validation_end - split.training_end < horizon) too_short("validation", split.validation_end - split.training_end, horizon, options.validation);
  if (split.end - split.validation_end < horizon) too_short("test", split.end - split.validation_end, horizon, options.test);
  return split;
}

SeriesReport report_series(const Panel& panel, const SeriesPreprocess& preprocess, const TimeSplit& split, const std::string& source) {
  Findings found;
  Json series = Json::array();
  std::string lines;
  int64_t measured = 0;
  for (const Panel::Series& s : panel.series) {
    const Summary summary = summarize(s);
    measured += summary.measured;
    const double mean = summary.sum / static_cast<double>(summary.measured);
    series.push_back({{"name", s.name}, {"from", panel.time_text(s.begin)}, {"to", panel.time_text(s.end - 1)}, {"values", summary.measured}, {"missing", summary.missing}, {"gaps", summary.gaps},
                      {"longest_gap", summary.longest}, {"least", summary.low}, {"mean", mean}, {"most", summary.high}});
    if (series.size() <= kShown) {
      lines += fmt::format("  {:<20} {} to {}: {} values, {:.4g} to {:.4g}, mean {:.4g}; {} periods missing in {} gaps, the longest {}\n", s.name, panel.time_text(s.begin), panel.time_text(s.end - 1), summary.measured, summary.low,
                           summary.high, mean, summary.missing, summary.gaps, summary.longest);
    }
    const auto length = static_cast<double>(s.end - s.begin);
    found.add(static_cast<double>(summary.missing) > kManyMissing * length, "warning", "gaps", s.name, fmt::format("{} of {} periods have no value; the model sees the line between the values around a gap; if rows are further apart than a {}, set data.series.frequency", summary.missing, s.end - s.begin, panel.frequency.name()));
    found.add(s.end < split.end - (split.end - split.validation_end) / 2, "warning", "ends early", s.name, fmt::format("ends with {}: it is hardly tested", panel.time_text(s.end - 1)));
    found.add(s.begin + preprocess.history() + preprocess.horizon() > split.training_end, "warning", "begins late", s.name, fmt::format("begins with {}: no window of it lies in the training part", panel.time_text(s.begin)));
  }
  for (const std::string& name : preprocess.constant()) found.add(true, "warning", "constant", name, "never changes in the training part");
  const int64_t blocks = (split.end - split.validation_end) / preprocess.horizon();
  found.add(blocks < kFewBlocks, "warning", "test", "", fmt::format("the test part is {} horizons long: what is measured there is a few cases, and its intervals are rough", blocks));
  found.add(panel.unordered > 0, "note", "order", "", fmt::format("{} rows come after a later one; they are put in order of time", panel.unordered));
  found.add(panel.repeated > 0, "note", "repeated", "", fmt::format("{} rows are of a time that was there already; they are merged (data.series.on_duplicate)", panel.repeated));
  found.add(panel.times.empty(), "note", "time", "", "no column says when: the rows are taken to be in order of time, one a period");

  const SeriesOptions& o = preprocess.options();
  SeriesReport report;
  report.json = {{"source", source}, {"rows", panel.rows}, {"periods", panel.periods}, {"values", measured}, {"frequency", o.frequency}, {"season", preprocess.season()}, {"horizon", preprocess.horizon()},
                 {"length", preprocess.length()}, {"history", preprocess.history()}, {"channels", preprocess.channels()}, {"train", split.training_end}, {"validation", split.validation_end - split.training_end},
                 {"test", split.end - split.validation_end}, {"series", series}, {"findings", found.list}};
  report.text = fmt::format("{}: {} rows, {} series, {} periods of a {}, {} to {}\n", source, panel.rows, panel.series.size(), panel.periods, o.frequency, panel.time_text(0), panel.time_text(panel.periods - 1)) + lines;
  if (panel.series.size() > kShown) report.text += fmt::format("  and {} more\n", panel.series.size() - kShown);
  report.text += fmt::format("to foretell: {} periods from {} before, season {}, {} numbers for each period\n", preprocess.horizon(), preprocess.length(), preprocess.season(), preprocess.channels());
  report.text += fmt::format("in order of time: {} periods to train, {} to validate, {} to test, from {} on\n", split.training_end, split.validation_end - split.training_end, split.end - split.validation_end, panel.time_text(split.validation_end));
  for (const Json& f : found.list) {
    const std::string column = f["column"];
    report.text += fmt::format("{}: {}{}\n", f["severity"].get<std::string>(), column.empty() ? "" : column + " ", f["text"].get<std::string>());
  }
  return report;
}

}  // namespace danlu::data
