#include <algorithm>
#include <map>

#include "danlu/app/cli/verbs.h"
#include "danlu/app/recipe/run_directory.h"
#include "danlu/app/recipe/yaml.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/eval/text_table.h"

namespace danlu::app {
namespace {

using eval::TextTable;

constexpr const char* kWhere = "app.runs";
constexpr auto kLeft = TextTable::Align::left, kRight = TextTable::Align::right;

// report.json's metrics by name, in its order; empty before the run is evaluated.
Json metrics_of(const RunDirectory& run) {
  Json values = Json::object();
  if (!fs::exists(run.file("report.json"))) return values;
  const Json metrics = read_json(run.file("report.json")).value("metrics", Json::object());
  for (const auto& [name, metric] : metrics.items()) values[name] = metric.value("value", Json(nullptr));
  return values;
}

std::string number(const Json& value) { return value.is_number() ? fmt::format("{:.4f}", value.get<double>()) : "-"; }

// "accuracy 0.9912, f1 0.9930": the first few.
std::string quality_of(const RunDirectory& run) {
  constexpr int kShown = 2;
  std::string text;
  int shown = 0;
  const Json metrics = metrics_of(run);
  for (const auto& [name, value] : metrics.items()) {
    if (++shown > kShown) break;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, number(value));
  }
  return text.empty() ? "-" : text;
}

void list(Console& console, const fs::path& runs) {
  TextTable table({kLeft});
  table.add_row({"run", "status", "started", "on the test split"});
  Json json = Json::array();
  for (const RunDirectory& run : list_runs(runs)) {
    const Json info = run.info();
    const std::string status = run.status(), started = info.value("started", std::string("-"));
    table.add_row({eval::display_text(run.name()), status, started, quality_of(run)});
    json.push_back({{"name", run.name()}, {"status", status}, {"started", started}, {"metrics", metrics_of(run)}});
  }
  console.result(table.str(0), {{"event", "runs"}, {"runs", json}});
}

void show(Console& console, const RunDirectory& run) {
  Json info = run.info();
  info["status"] = run.status();
  std::string text = to_yaml(info);
  for (const char* page : {"data_report.txt", "report.txt"}) {
    if (fs::exists(run.file(page))) text += "\n" + read_file(run.file(page));
  }
  console.result(text, {{"event", "run"}, {"info", info}, {"metrics", metrics_of(run)}});
}

// "train.epochs" -> "5", for every leaf.
void flatten(const Json& json, const std::string& path, std::map<std::string, std::string>& out) {
  if (!json.is_object()) {
    out[path] = to_line(json);
    return;
  }
  for (const auto& [key, value] : json.items()) flatten(value, path.empty() ? key : path + "." + key, out);
}

std::map<std::string, std::string> options_of(const RunDirectory& run) {
  std::map<std::string, std::string> options;
  const fs::path path = run.file("resolved.yaml");
  flatten(parse_yaml(read_file(path), path.string()).json, "", options);
  return options;
}

std::map<std::string, std::string> numbers_of(const RunDirectory& run) {
  std::map<std::string, std::string> numbers;
  const Json metrics = metrics_of(run);
  for (const auto& [name, value] : metrics.items()) numbers[name] = number(value);
  return numbers;
}

struct Comparison {
  std::string text;
  Json json = Json::object();
};

enum class Rows { all, different };

Comparison side_by_side(const std::string& title, const std::map<std::string, std::string>& a,
                        const std::map<std::string, std::string>& b, Rows rows) {
  TextTable table({kLeft, kRight, kRight});
  Comparison result;
  std::map<std::string, std::string> keys = a;
  keys.insert(b.begin(), b.end());
  for (const auto& [key, unused] : keys) {
    const auto value = [&](const auto& side) { return side.contains(key) ? side.at(key) : std::string("-"); };
    if (rows == Rows::different && value(a) == value(b)) continue;
    table.add_row({key, value(a), value(b)});
    result.json[key] = {value(a), value(b)};
  }
  result.text = title + "\n" + (result.json.empty() ? "  none\n" : table.str());
  return result;
}

void compare(Console& console, const RunDirectory& a, const RunDirectory& b) {
  const Comparison options = side_by_side("options that differ", options_of(a), options_of(b), Rows::different);
  const Comparison metrics = side_by_side("on the test split", numbers_of(a), numbers_of(b), Rows::all);
  console.result(
      fmt::format("{} and {}\n\n{}\n{}", a.name(), b.name(), options.text, metrics.text),
      {{"event", "compared"}, {"runs", {a.name(), b.name()}}, {"options", options.json}, {"metrics", metrics.json}});
}

void remove(Console& console, const RunDirectory& run) {
  const RunLock lock(run);
  std::error_code error;
  fs::remove_all(run.path(), error);
  if (error) throw FileError(kWhere, fmt::format("cannot remove {}: {}", run.path().string(), error.message()));
  console.note(fmt::format("removed {}\n", run.path().string()), {{"event", "removed"}, {"run", run.path().string()}});
}

class RunsVerb : public Verb {
 public:
  RunsVerb() : Verb("runs", "list, show, compare and remove runs") {}

  void declare(Arguments& arguments) override {
    arguments.optional_word("action", action_, "list (the default), show RUN, compare RUN RUN, or remove RUN ...");
    arguments.words("names", names_, "runs, by name or path");
    arguments.examples("danlu runs\ndanlu runs show medical\ndanlu runs compare medical medical-wide");
  }

  int run(const Context& context) override {
    check();
    std::vector<RunDirectory> runs;
    for (const std::string& name : names_) runs.push_back(find_run(name, context.runs));
    if (action_ == "list") list(context.console, context.runs);
    if (action_ == "show") show(context.console, runs[0]);
    if (action_ == "compare") compare(context.console, runs[0], runs[1]);
    if (action_ == "remove") {
      for (const RunDirectory& run : runs) remove(context.console, run);
    }
    return kOk;
  }

 private:
  void check() const {
    const std::vector<std::string> actions = {"list", "show", "compare", "remove"};
    if (std::find(actions.begin(), actions.end(), action_) == actions.end()) {
      throw ConfigError(kWhere, fmt::format("got \"{}\"; expected list, show, compare or remove{}", action_,
                                            did_you_mean(action_, actions)));
    }
    const size_t got = names_.size();
    const bool fits = action_ == "list"      ? got == 0
                      : action_ == "show"    ? got == 1
                      : action_ == "compare" ? got == 2
                                             : got > 0;
    const char* expected = action_ == "list"      ? "none"
                           : action_ == "show"    ? "one"
                           : action_ == "compare" ? "two"
                                                  : "at least one";
    if (!fits) throw ConfigError(kWhere, fmt::format("{}: got {} names; expected {}", action_, got, expected));
  }

  std::string action_ = "list";
  std::vector<std::string> names_;
};

}  // namespace

std::unique_ptr<Verb> make_runs_verb() { return std::make_unique<RunsVerb>(); }

}  // namespace danlu::app
