#include "danlu/app/report/comparison.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "danlu/app/recipe/cost.h"
#include "danlu/app/report/html.h"
#include "danlu/app/report/page.h"
#include "danlu/app/report/sections.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/version.h"

namespace danlu::app {
namespace {

struct ComparedRun : RunFiles {
  explicit ComparedRun(const RunDirectory& run) : RunFiles(run) {
    // The samples by number where they have been listed; of a text, what decides.
    const fs::path split = run.file("split.json");
    test = fs::exists(split) ? part(read_json(split), "test") : Json{options.value("seed", Json()), part(part(options, "data"), "split")};
  }
  Json test;  // two runs of the same data and the same `test` were measured on the same
};

using Runs = std::vector<ComparedRun>;

std::string name_of(const RunFiles& run) { return run.info.value("name", run.name); }

// A run's name after its colour.
std::string key_of(const Runs& runs, size_t i) {
  return fmt::format("<span class=\"run\"><i style=\"background:var(--c{})\"></i>{}</span>", i % 10, escaped(name_of(runs[i])));
}

// A table with a column for each run, and rows only where one of them has something to say.
class RunTable {
 public:
  RunTable(const Runs& runs, const char* what, const char* columns) : count_(runs.size()), table_(columns) {
    std::vector<std::string> head = {what};
    for (size_t i = 0; i < runs.size(); ++i) head.push_back(key_of(runs, i));
    table_.head(head);
  }
  void add(const std::string& name, const std::function<std::string(size_t)>& cell) {
    std::vector<std::string> cells = {name};
    bool any = false;
    for (size_t i = 0; i < count_; ++i) {
      cells.push_back(cell(i));
      any = any || !cells.back().empty();
      if (cells.back().empty()) cells.back() = "<span class=\"soft\">&ndash;</span>";
    }
    if (any) table_.add(cells);
  }
  std::string str() const { return table_.empty() ? "" : table_.str(); }

 private:
  size_t count_;
  HtmlTable table_;
};

bool same_in_all(const Runs& runs, const std::function<Json(const ComparedRun&)>& value) {
  return std::all_of(runs.begin(), runs.end(), [&](const ComparedRun& run) { return value(run) == value(runs.front()); });
}

Json data_hash(const RunFiles& run) { return run.info.value("data_hash", Json(nullptr)); }

std::string headline(const Runs& runs) {
  std::string names;
  for (size_t i = 0; i < runs.size(); ++i) names += (i == 0 ? "" : i + 1 == runs.size() ? " and " : ", ") + name_of(runs[i]);
  const bool same_part = same_in_all(runs, [](const ComparedRun& run) { return Json{run.test, run.quality.value("part", "test")}; });
  std::string lead = fmt::format("{} were measured on the same samples.", runs.size() == 2 ? "Both" : "All"), warning;
  if (!same_in_all(runs, data_hash)) warning = "The data are not the same, and so what the runs were measured on.";
  else if (!same_part) warning = "The data are the same, but the runs were measured on different samples of them.";
  return fmt::format("<p class=\"kicker\">danlu · comparison of {} runs</p>\n<h1>{}</h1>\n{}", runs.size(), escaped(names),
                     warning.empty() ? "<p class=\"lead\">" + lead + "</p>\n" : "<div class=\"warning\">" + warning + "</div>\n");
}

// What to add to a measure to get the other; in colour where the intervals do not meet.
std::string difference(const Measure& from, const Measure& to) {
  const double change = to.value - from.value;
  if (std::isnan(change)) return "";
  const bool apart = to.interval.low > from.interval.high || to.interval.high < from.interval.low;
  if (change == 0) return "<div class=\"change soft\">equal</div>";
  const char* sign = change < 0 ? "&minus;" : "+";
  const std::string size = to.is_share ? fmt::format("{:.1f} points", 100 * std::abs(change))
                           : std::abs(change) < 1e-4 ? fmt::format("{:.2g}", std::abs(change)) : number_text(std::abs(change));
  return fmt::format("<div class=\"change {}\">{}{}</div>", !apart ? "soft" : (change > 0) == to.higher_is_better ? "good" : "bad", sign, size);
}

// One bar below the other on a common scale.
std::string intervals(const std::vector<const Measure*>& row) {
  Range scale{HUGE_VAL, -HUGE_VAL};
  for (const Measure* m : row) {
    if (m == nullptr || std::isnan(m->value)) continue;
    const bool known = std::isfinite(m->interval.low) && std::isfinite(m->interval.high);
    scale = {std::min(scale.low, known ? m->interval.low : m->value), std::max(scale.high, known ? m->interval.high : m->value)};
  }
  std::string html;
  for (size_t i = 0; i < row.size(); ++i) {
    if (row[i] != nullptr) html += draw_interval(row[i]->value, row[i]->interval, scale, static_cast<int>(i));
  }
  return "<div class=\"stack\">" + html + "</div>";
}

std::string measures_section(const Runs& runs) {
  std::vector<std::vector<Measure>> all;
  std::vector<std::string> keys;
  for (const RunFiles& run : runs) {
    all.push_back(measures(run));
    for (const Measure& m : all.back()) {
      if (std::find(keys.begin(), keys.end(), m.key) == keys.end()) keys.push_back(m.key);
    }
  }
  HtmlTable table("l" + std::string(runs.size(), 'r') + "l");
  std::vector<std::string> head = {"measure"};
  for (size_t i = 0; i < runs.size(); ++i) head.push_back(key_of(runs, i));
  head.push_back("intervals");
  table.head(head);
  for (const std::string& key : keys) {
    std::vector<const Measure*> row;
    for (const auto& of_run : all) {
      const auto found = std::find_if(of_run.begin(), of_run.end(), [&](const Measure& m) { return m.key == key; });
      row.push_back(found == of_run.end() ? nullptr : &*found);
    }
    const Measure& any = **std::find_if(row.begin(), row.end(), [](const Measure* m) { return m != nullptr; });
    std::vector<std::string> cells = {escaped(any.name)};
    for (size_t i = 0; i < row.size(); ++i) {
      const Measure* m = row[i];
      if (m == nullptr) cells.push_back("<span class=\"soft\">&ndash;</span>");
      else cells.push_back(fmt::format("<b>{}</b><div class=\"range\">{}</div>{}", escaped(m->text()), escaped(m->interval_text()),
                                       i > 0 && row[0] != nullptr ? difference(*row[0], *m) : ""));
    }
    cells.push_back(intervals(row));
    table.add(cells);
  }
  if (table.empty()) return "";
  return section("Measures", table.str() + fmt::format("<p class=\"note\">Differences are from {}; in colour where the intervals do not meet. "
                                                       "Where they meet, the difference may be chance.</p>\n", escaped(name_of(runs.front()))));
}

class Curves {
 public:
  Curves(const Runs& runs, const char* over) : runs_(runs), over_(over) {}

  // Of each run one curve.
  std::string single(const char* title, const char* label, const char* key) const {
    Plot plot = empty(title, label);
    add(plot, key, "", false);
    return draw(plot);
  }
  // From 0 on, whatever lies between.
  std::string from_zero(const char* title, const char* label, const char* key) const {
    Plot plot = empty(title, label);
    add(plot, key, "", false);
    double highest = 0;
    for (const Series& s : plot.series) {
      for (const double y : s.y) highest = std::max(highest, std::isfinite(y) ? y : 0);
    }
    plot.y_range = Range{0, highest > 0 ? 1.08 * highest : 1};
    return draw(plot);
  }
  // Validation, and training in the background; where there is no validation, training is all there is.
  std::string pair(const char* title, const char* label, const char* key, const char* training_key) const {
    Plot plot = empty(title, label);
    add(plot, training_key, ", training", true);
    for (Series& s : plot.series) s.faint = has_values(history(runs_[static_cast<size_t>(s.colour)], over_, key, "", 0));
    add(plot, key, "", false);
    return draw(plot);
  }

 private:
  Plot empty(const char* title, const char* label) const {
    return {.title = title, .x_label = std::string(over_) == "step" ? "update" : over_, .y_label = label, .whole_x = std::string(over_) != "seconds"};
  }
  void add(Plot& plot, const char* key, const char* suffix, bool faint) const {
    for (size_t i = 0; i < runs_.size(); ++i) {
      Series s = history(runs_[i], over_, key, name_of(runs_[i]) + suffix, static_cast<int>(i));
      s.faint = faint;
      if (has_values(s)) plot.series.push_back(std::move(s));
    }
  }

  const Runs& runs_;
  const char* over_;
};

std::string curves_section(const Runs& runs) {
  const bool epochs = std::all_of(runs.begin(), runs.end(), [](const RunFiles& run) { return std::string(history_axis(run)) == "epoch"; });
  const Curves over(runs, epochs ? "epoch" : "step");
  const std::string plots = over.pair("Loss", "loss", "validation_loss", "train_loss") +
                            Curves(runs, "seconds").pair("Loss over time", "loss", "validation_loss", "train_loss") +
                            over.pair("Accuracy", "accuracy", "validation_accuracy", "train_accuracy") +
                            over.from_zero("Learning rate", "learning rate", "lr") + over.single("Gradient norm", "gradient norm", "gradient_norm");
  const bool validated = std::any_of(runs.begin(), runs.end(), [](const RunFiles& run) { return has_values(history(run, "step", "validation_loss", "", 0)); });
  return section("Training", figures(plots) + (validated ? "<p class=\"note\">Validation; training in the background.</p>\n" : ""));
}

std::string classes_section(const Runs& runs) {
  std::vector<std::map<std::string, double>> scores(runs.size());
  std::vector<std::string> names;
  for (size_t i = 0; i < runs.size(); ++i) {
    for (const Json& c : part(runs[i].quality, "classes")) {
      const std::string name = c.value("name", "");
      scores[i][name] = number_at(c, "f1");
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  RunTable table(runs, "F1 of class", "lr");
  for (const std::string& name : names) {
    table.add(escaped(name), [&](size_t i) { return scores[i].contains(name) && !std::isnan(scores[i][name]) ? number_text(scores[i][name]) : ""; });
  }
  return section("Classes", table.str());
}

void flatten(const std::string& path, const Json& json, std::vector<std::pair<std::string, std::string>>& values) {
  if (json.is_object() && !json.empty()) {
    for (const auto& [key, value] : json.items()) flatten(path.empty() ? key : path + "." + key, value, values);
  } else {
    values.emplace_back(path, json.is_number_float() ? fmt::format("{}", json.get<double>()) : word_text(json));
  }
}

std::string options_section(const Runs& runs) {
  std::vector<std::string> keys;
  std::vector<std::map<std::string, std::string>> options(runs.size());
  for (size_t i = 0; i < runs.size(); ++i) {
    std::vector<std::pair<std::string, std::string>> values;
    flatten("", runs[i].options, values);
    for (const auto& [key, value] : values) {
      options[i][key] = value;
      if (key != "name" && std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
    }
  }
  RunTable table(runs, "option", "nl");
  for (const std::string& key : keys) {
    const auto value = [&](size_t i) { return options[i].contains(key) ? "<code>" + escaped(options[i][key]) + "</code>" : std::string(); };
    bool differs = false;
    for (size_t i = 1; i < runs.size(); ++i) differs = differs || value(i) != value(0);
    if (differs) table.add("<code>" + escaped(key) + "</code>", value);
  }
  const std::string rows = table.str();
  return section("What went in and differs", rows.empty() ? "<p>No option differs.</p>\n" : rows);
}

// Of an object of report.json, the names that any run has there.
std::vector<std::string> names_below(const Runs& runs, const char* key) {
  std::vector<std::string> names;
  for (const RunFiles& run : runs) {
    for (const auto& [name, value] : part(run.quality, key).items()) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  return names;
}

std::string cost_section(const Runs& runs) {
  RunTable table(runs, "", "lr");
  const auto row = [&](const char* name, const std::function<double(const RunFiles&)>& value, const std::function<std::string(double)>& text) {
    table.add(name, [&](size_t i) { return std::isnan(value(runs[i])) ? "" : text(value(runs[i])); });
  };
  const auto count = [](double value) { return count_text(std::llround(value)); };
  const auto of_training = [](const char* key) { return [key](const RunFiles& run) { return number_at(part(run.info, "training"), key); }; };
  const auto of_run = [](const char* key) { return [key](const RunFiles& run) { return number_at(run.info, key); }; };
  row("parameters", of_run("parameters"), count);
  row("epochs", of_training("epochs"), [](double value) { return fmt::format("{:.3g}", value); });
  row("updates", of_training("steps"), count);
  row("training", of_training("seconds"), seconds_text);
  row("training, CPU time", of_training("cpu_seconds"), seconds_text);
  row("peak memory", of_run("peak_memory_bytes"), [](double value) { return bytes_text(std::llround(value)); });
  for (const auto& [key, name] : {std::pair{"samples_per_second", "samples a second"}, {"tokens_per_second", "tokens a second"}}) {
    row(name, [key = key](const RunFiles& run) { return number_at(run.quality, key); }, count);
  }
  for (const std::string& what : names_below(runs, "latency")) {
    for (const char* percentile : {"p50", "p95", "p99"}) {
      const std::string key = std::string(percentile) + "_ms";
      row(fmt::format("{}, {}", escaped(what), percentile).c_str(),
          [&](const RunFiles& run) { return number_at(part(part(run.quality, "latency"), what.c_str()), key.c_str()) / 1000; }, seconds_text);
    }
  }
  for (const std::string& what : names_below(runs, "cost")) {
    const auto of_cost = [&](const char* key) { return [&, key](const RunFiles& run) { return number_at(part(part(run.quality, "cost"), what.c_str()), key); }; };
    row(("1,000 " + escaped(what) + ", CPU time").c_str(), of_cost("cpu_seconds"), seconds_text);
    row(("1,000 " + escaped(what) + ", price").c_str(), of_cost("price"), price_text);
  }
  return section("What it took", table.str());
}

std::string lineage_section(const Runs& runs) {
  RunTable table(runs, "", "l");
  const auto row = [&](const char* name, const std::function<Json(const RunFiles&)>& value, bool code) {
    table.add(name, [&](size_t i) {
      const Json json = value(runs[i]);
      if (json.is_null() || json == "") return std::string();
      return code ? "<code>" + escaped(word_text(json)) + "</code>" : escaped(word_text(json));
    });
  };
  const auto of_run = [](const char* key) { return [key](const RunFiles& run) { return run.info.value(key, Json(nullptr)); }; };
  row("status", [](const RunFiles& run) { return Json(run.status); }, false);
  for (const char* key : {"started", "finished"}) row(key, [key](const RunFiles& run) { return Json(time_text(run.info.value(key, ""))); }, false);
  for (const char* key : {"danlu", "cpu", "threads"}) row(key, of_run(key), false);
  row("commit", of_run("git_commit"), true);
  row(same_in_all(runs, data_hash) ? "data hash, the same" : "data hash, not the same", data_hash, true);
  row("weights measured", [](const RunFiles& run) { return run.quality.value("weights_hash", Json(nullptr)); }, true);
  return section("Where they come from", table.str());
}

}  // namespace

std::string comparison_report(std::span<const RunDirectory> directories) {
  if (directories.size() < 2) throw ConfigError("app.report", fmt::format("got {} runs to compare; expected two or more", directories.size()));
  Runs runs;
  for (const RunDirectory& directory : directories) runs.emplace_back(directory);
  std::string names;
  for (const RunFiles& run : runs) names += (names.empty() ? "" : ", ") + name_of(run);
  try {
    return html_page(names, headline(runs) + measures_section(runs) + curves_section(runs) + classes_section(runs) + options_section(runs) +
                                cost_section(runs) + lineage_section(runs) +
                                fmt::format("<footer>Made by danlu {}. This file needs nothing else.</footer>\n", version()));
  } catch (const Json::exception& error) {
    throw DataError("app.report", fmt::format("{}: a file of a run is not as danlu writes it: {}", names, error.what()));
  }
}

}  // namespace danlu::app
