#include <CLI/CLI.hpp>

#include "danlu/app/cli/verbs.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/eval/text_table.h"

namespace danlu::app {
namespace {

using eval::TextTable;

std::string field(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || found->is_null()) return "-";
  return found->is_string() ? found->get<std::string>() : to_line(*found);
}

// The first metrics of a finished run, "accuracy 0.97".
std::string first_metrics(const RunDirectory& run, size_t count) {
  const fs::path path = run.file("report.json");
  if (!fs::exists(path)) return "-";
  const Json report = read_json(path);
  std::string text;
  for (const Json& metric : report.value("metrics", Json::array())) {
    if (count-- == 0) break;
    const Json value = metric.value("value", Json(nullptr));
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", metric.value("name", std::string("?")), value.is_number() ? fmt::format("{:.4f}", value.get<double>()) : "-");
  }
  return text.empty() ? "-" : text;
}

int list(Console& console, const fs::path& runs) {
  TextTable table({TextTable::Align::left, TextTable::Align::left, TextTable::Align::left, TextTable::Align::left});
  table.add_row({"run", "status", "started", "quality"});
  for (const RunDirectory& run : list_runs(runs)) {
    const Json info = run.info();
    const std::string name = run.path().filename().string(), status = run.status(), metrics = first_metrics(run, 2);
    table.add_row({eval::display_text(name), status, field(info, "started"), metrics});
    console.event({{"event", "run"}, {"name", name}, {"status", status}, {"info", info}});
  }
  if (console.form() == LogForm::text) console.print(table.str(0));
  return kOk;
}

int show(Console& console, const RunDirectory& run) {
  Json info = run.info();
  info["status"] = run.status();
  console.print(info.dump(2) + "\n");
  for (const char* page : {"data_report.txt", "report.txt"}) {
    if (fs::exists(run.file(page))) console.print("\n" + read_file(run.file(page)));
  }
  return kOk;
}

// Every option of two runs that differs, then their metrics side by side.
void collect(const Json& json, const std::string& path, std::map<std::string, std::string>& out) {
  if (!json.is_object()) {
    out[path] = to_line(json);
    return;
  }
  for (const auto& [key, value] : json.items()) collect(value, path.empty() ? key : path + "." + key, out);
}

int compare(Console& console, const RunDirectory& a, const RunDirectory& b) {
  std::map<std::string, std::string> options[2], metrics[2];
  const RunDirectory* runs[2] = {&a, &b};
  for (int i = 0; i < 2; ++i) {
    const fs::path recipe = runs[i]->file("resolved.yaml");
    collect(parse_yaml(read_file(recipe), recipe.string()).json, "", options[i]);
    const fs::path report = runs[i]->file("report.json");
    if (!fs::exists(report)) continue;
    for (const Json& metric : read_json(report).value("metrics", Json::array())) metrics[i][metric.value("name", std::string())] = to_line(metric.value("value", Json()));
  }
  const auto table_of = [&](std::map<std::string, std::string>* sides, bool only_different) {
    TextTable table({TextTable::Align::left, TextTable::Align::right, TextTable::Align::right});
    table.add_row({"", a.path().filename().string(), b.path().filename().string()});
    std::map<std::string, std::string> keys = sides[0];
    keys.insert(sides[1].begin(), sides[1].end());
    for (const auto& [key, unused] : keys) {
      const auto value = [&](int i) { return sides[i].contains(key) ? sides[i].at(key) : std::string("-"); };
      if (!only_different || value(0) != value(1)) table.add_row({key, value(0), value(1)});
    }
    return table.str(0);
  };
  console.print("options that differ\n" + table_of(options, true) + "\nmetrics\n" + table_of(metrics, false));
  return kOk;
}

}  // namespace

Verb add_runs(CLI::App& app) {
  auto common = add_common(app);
  auto action = std::make_shared<std::string>("list");
  auto names = std::make_shared<std::vector<std::string>>();
  app.add_option("action", *action, "list, show NAME, compare A B, or remove NAME")->check(CLI::IsMember({"list", "show", "compare", "remove"}))->capture_default_str();
  app.add_option("names", *names, "runs, by name or path");
  return [=] {
    Console console(common->form());
    const size_t expected = *action == "list" ? 0 : *action == "compare" ? 2 : 1;
    if (names->size() != expected) throw ConfigError("app.cli", fmt::format("runs {}: got {} names; expected {}", *action, names->size(), expected));
    if (*action == "list") return list(console, common->runs);
    const RunDirectory first = find_run(names->front(), common->runs);
    if (*action == "show") return show(console, first);
    if (*action == "compare") return compare(console, first, find_run(names->back(), common->runs));
    if (first.status() == "running") throw ConfigError("app.cli", fmt::format("{} is at work; stop it first", first.path().string()));
    fs::remove_all(first.path());
    console.print(fmt::format("removed {}\n", first.path().string()));
    return kOk;
  };
}

}  // namespace danlu::app
