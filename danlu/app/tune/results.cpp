#include "danlu/app/tune/results.h"

#include <algorithm>
#include <limits>

#include "danlu/app/recipe/tune_section.h"
#include "danlu/app/recipe/yaml.h"
#include "danlu/base/eta.h"
#include "danlu/base/format.h"
#include "danlu/eval/text_table.h"
#include "danlu/learn/tune/importance.h"

namespace danlu::app {
namespace {

using eval::TextTable;

Json to_json(const tune::Search& search, const tune::Trial& trial) {
  Json json = {{"trial", trial.number},
               {"state", tune::name_of(trial.state)},
               {"value", trial.value ? Json(*trial.value) : Json(nullptr)},
               {"params", tune::to_json(search.space(), trial.point)},
               {"seconds", trial.seconds}};
  json.update(trial.facts);
  if (search.options().method == "asha") json["rungs"] = trial.rungs.size();
  if (!trial.error.empty()) json["error"] = trial.error;
  return json;
}

// Of successive halving the values at the first rung, which all have come to: later ones are of longer trainings.
Json importance_of(const tune::Search& search) {
  const bool halves = search.options().method == "asha";
  std::vector<tune::Point> points;
  std::vector<double> costs;
  for (const tune::Trial& trial : search.trials()) {
    const bool failed = trial.state == tune::Trial::State::failed;
    const std::optional<double> value = halves ? (trial.rungs.empty() ? std::nullopt : trial.rungs.front()) : trial.value;
    if (!failed && !value) continue;
    points.push_back(trial.point);
    costs.push_back(failed ? std::numeric_limits<double>::infinity() : search.maximizes() ? -*value : *value);
  }
  const std::vector<double> parts = tune::importance(search.space(), points, costs);
  Json json = Json::object();
  for (size_t p = 0; p < parts.size(); ++p) json[search.space()[p].name()] = parts[p];
  return json;
}

Json space_of(const tune::Search& search) {
  Json json = Json::array();
  for (const tune::Parameter& p : search.space()) {
    const bool choice = p.kind() == tune::Parameter::Kind::choice;
    json.push_back({{"key", p.name()},
                    {"kind", choice ? "choice" : p.kind() == tune::Parameter::Kind::integer ? "int" : "real"},
                    {"log", p.log()},
                    {"low", choice ? Json(nullptr) : Json(p.low())},
                    {"high", choice ? Json(nullptr) : Json(p.high())},
                    {"choices", choice ? Json(p.choices()) : Json(nullptr)}});
  }
  return json;
}

std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : to_line(value); }

// "lr" for train.optimizer.lr, as long as it is the only one.
std::string short_name(const std::string& key, const Json& space) {
  const std::string last = key.substr(key.rfind('.') + 1);
  const auto same = std::count_if(space.begin(), space.end(), [&](const Json& p) {
    const std::string other = p.at("key").get<std::string>();
    return other.substr(other.rfind('.') + 1) == last;
  });
  return same > 1 ? key : last;
}

}  // namespace

Json tune_results(const tune::Search& search, const Recipe& recipe, const RunDirectory& directory) {
  const tune::TuneOptions& options = search.options();
  Json json = {{"name", recipe.name},
               {"method", options.method},
               {"metric", "validation " + tuned_metric(recipe)},
               {"direction", search.maximizes() ? "maximize" : "minimize"},
               {"seed", options.seed},
               {"trial_overrides", options.trial},
               {"space", space_of(search)},
               {"trials", Json::array()},
               {"importance", importance_of(search)},
               {"best", nullptr}};
  for (const tune::Trial& trial : search.trials()) json["trials"].push_back(to_json(search, trial));
  if (const tune::Trial* best = search.best()) {
    json["best"] = to_json(search, *best);
    const RunDirectory winner(directory.path() / "best");
    if (fs::exists(winner.file("report.json"))) json["best"]["test"] = read_json(winner.file("report.json")).value("metrics", Json::object());
  }
  return json;
}

std::string as_overrides(const Json& values) {
  std::string text;
  for (const auto& [key, value] : values.items()) {
    std::string word = key + "=" + text_of(value);
    if (word.find_first_of(" \"[]{}*?$&|;<>()") != std::string::npos) word = "'" + word + "'";
    text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

std::string tune_table(const Json& results) {
  TextTable table({TextTable::Align::right, TextTable::Align::right, TextTable::Align::left});
  std::vector<std::string> head = {"trial", results["metric"].get<std::string>(), "state"};
  for (const Json& p : results["space"]) head.push_back(short_name(p["key"].get<std::string>(), results["space"]));
  head.push_back("epochs");
  head.push_back("time");
  table.add_row(head);
  std::vector<Json> trials(results["trials"].begin(), results["trials"].end());
  const bool maximize = results["direction"] == "maximize";
  const auto cost = [&](const Json& t) {
    if (!t["value"].is_number() || t["state"] == "failed") return std::numeric_limits<double>::infinity();
    return maximize ? -t["value"].get<double>() : t["value"].get<double>();
  };
  std::stable_sort(trials.begin(), trials.end(), [&](const Json& a, const Json& b) { return cost(a) < cost(b); });
  for (const Json& t : trials) {
    std::vector<std::string> row = {text_of(t["trial"]), t["value"].is_number() ? fmt::format("{:.5g}", t["value"].get<double>()) : "-", text_of(t["state"])};
    for (const Json& p : results["space"]) row.push_back(eval::display_text(text_of(t["params"][p["key"].get<std::string>()])));
    row.push_back(t.contains("epochs") ? fmt::format("{:.4g}", t["epochs"].get<double>()) : "-");
    row.push_back(format_duration(t["seconds"].get<double>()));
    table.add_row(row);
  }
  std::string text = table.str(0);
  text += "\nwhat matters (part of the variance of the ranks that a key explains by itself):";
  for (const auto& [key, part] : results["importance"].items()) text += fmt::format("  {} {:.2f}", short_name(key, results["space"]), part.get<double>());
  return text + "\n";
}

}  // namespace danlu::app
