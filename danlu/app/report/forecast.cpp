// Of a forecaster: what it foretold beside the naive forecasts, how far ahead it can see, and how well its intervals hold.
#include <cmath>

#include "danlu/app/recipe/interval_name.h"
#include "danlu/app/report/html.h"
#include "danlu/app/report/sections.h"
#include "danlu/base/format.h"

namespace danlu::app {
namespace {

std::vector<double> numbers(const Json& list) {
  std::vector<double> values;
  for (const Json& v : list) values.push_back(v.is_number() ? v.get<double>() : NAN);
  return values;
}

// From `begin` on, a period each.
Series line(const std::string& name, double begin, const Json& values, int colour) {
  Series s{.name = name, .y = numbers(values), .colour = colour};
  for (size_t i = 0; i < s.y.size(); ++i) s.x.push_back(begin + static_cast<double>(i));
  return s;
}

std::string comparison(const RunFiles& run) {
  const Json& baselines = part(run.quality, "baselines");
  HtmlTable table("lrrr");
  table.head({"measure", "this model", "seasonal naive", "naive"});
  for (const Measure& m : measures(run)) {
    std::vector<std::string> cells = {escaped(m.name), escaped(m.text())};
    for (const char* name : {"seasonal naive", "naive"}) {
      Measure other = m;
      other.value = number_at(part(part(part(baselines, name), "metrics"), m.key.c_str()), "value");
      cells.push_back(std::isnan(other.value) ? "" : escaped(other.text()));
    }
    table.add(cells);
  }
  std::string note;
  for (const auto& [name, baseline] : baselines.items()) {
    const Json& gain = part(baseline, "gain");
    const std::vector<double> interval = numbers(part(gain, "interval"));
    note += fmt::format("<p>RMSE below {} by {}", escaped(name), number_text(number_at(gain, "difference")));
    if (interval.size() == 2 && !std::isnan(interval[0])) note += fmt::format(", {} {} to {}", interval_name(run.quality), number_text(interval[0]), number_text(interval[1]));
    note += ".</p>\n";
  }
  return "<h3>Beside the naive forecasts</h3>\n" + table.str() + note +
         "<p class=\"note\">Naive: the last value stays. Seasonal naive: what was a season before comes again. The model was trained once, before the test part; at each origin all of them see what had been "
         "measured by then. Intervals are over stretches of time as long as the horizon, whose windows overlap. Skill: the part of the seasonal naive RMSE that is gone.</p>\n";
}

std::string by_step(const RunFiles& run) {
  Plot plot{.title = "Error by distance", .x_label = "periods ahead", .y_label = "RMSE", .series = {}, .whole_x = true};
  plot.series.push_back(line("model", 1, part(run.quality, "rmse_by_step"), 0));
  int colour = 1;
  for (const auto& [name, baseline] : part(run.quality, "baselines").items()) plot.series.push_back(line(name, 1, part(baseline, "rmse_by_step"), colour++));
  return draw(plot);
}

std::string foretold(const Json& example) {
  const Json& past = part(example, "past");
  const auto begin = -static_cast<double>(past.size());
  Plot plot{.title = fmt::format("{}, from {} on", example.value("series", ""), example.value("origin", "")), .x_label = "periods from there", .y_label = "value", .series = {}, .whole_x = true};
  Series truth = line("measured", begin, past, 0);
  const Series after = line("", 0, part(example, "truth"), 0);
  truth.x.insert(truth.x.end(), after.x.begin(), after.x.end());
  truth.y.insert(truth.y.end(), after.y.begin(), after.y.end());
  plot.series = {std::move(truth), line("foretold", 0, part(example, "forecast"), 1)};
  Series seasonal = line("seasonal naive", 0, part(example, "seasonal_naive"), 2);
  seasonal.faint = true;
  plot.series.push_back(std::move(seasonal));
  const Json& intervals = part(example, "intervals");
  if (!intervals.empty()) {
    const std::vector<double> low = numbers(part(intervals[0], "low")), high = numbers(part(intervals[0], "high"));
    for (size_t h = 0; h < low.size() && h < high.size(); ++h) plot.whiskers.push_back({.x = static_cast<double>(h), .low = low[h], .high = high[h], .colour = 1});
  }
  return draw(plot);
}

std::string held(const RunFiles& run) {
  HtmlTable table("lrrr");
  table.head({"interval", "held", interval_name(run.quality) + " of that", "mean width"});
  for (const Json& one : part(run.quality, "intervals")) {
    const std::vector<double> sure = numbers(part(one, "interval"));
    table.add({percent_text(number_at(one, "share")), percent_text(number_at(one, "held")), sure.size() == 2 && !std::isnan(sure[0]) ? fmt::format("{:.1f} to {}", 100 * sure[0], percent_text(sure[1])) : "",
               number_text(number_at(one, "width"))});
  }
  if (table.empty()) return "";
  return "<h3>How well its intervals hold</h3>\n" + table.str() + "<p class=\"note\">They are as wide as the errors on the validation part say; measured on the test part.</p>\n";
}

}  // namespace

std::string forecast_section(const RunFiles& run) {
  if (run.quality.value("task", "") != "forecast") return "";
  std::string drawn;
  for (const Json& example : part(run.quality, "forecasts")) drawn += foretold(example);
  const Json& intervals = part(run.quality, "intervals");
  const std::string whiskers = intervals.empty() ? "" : fmt::format(" Whiskers: the {} interval.", percent_text(number_at(intervals[0], "share")));
  return section("Forecasts", comparison(run) + "<h3>What it foretold</h3>\n" + figures(drawn) + fmt::format("<p class=\"note\">Faint: the seasonal naive forecast.{}</p>\n", whiskers) + figures(by_step(run)) + held(run));
}

}  // namespace danlu::app
