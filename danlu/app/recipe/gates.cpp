#include "danlu/app/recipe/gates.h"

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.gates";
constexpr const char* kKey = "evaluate.gates";

}  // namespace

void check_gates(const Json& gates, const Locate& locate) {
  const auto refuse = [&](const std::string& key, const Json& value, const char* expected) {
    const std::string place = locate ? locate(key) : "";
    throw ConfigError("app.recipe", fmt::format("{}{}: got {}; expected {}", place.empty() ? "" : place + ": ", key, to_line(value), expected));
  };
  if (gates.is_null()) return;
  if (!gates.is_object()) refuse(kKey, gates, "a bound for each measure, like {auc: 0.75}");
  for (const auto& [metric, bound] : gates.items()) {
    const bool finite = bound.is_number() && std::isfinite(bound.get<double>());
    if (!finite) refuse(fmt::format("{}.{}", kKey, metric), bound, "a number that the measure has to reach");
  }
}

void check_gates_are_measured(const Json& gates, const std::vector<std::string>& measures) {
  if (!gates.is_object()) return;
  for (const auto& [metric, bound] : gates.items()) {
    if (std::find(measures.begin(), measures.end(), metric) != measures.end()) continue;
    std::string hint = did_you_mean(metric, measures);
    if (hint.empty()) hint = fmt::format("; there are {}", fmt::join(measures, ", "));
    throw ConfigError(kWhere, fmt::format("{}: got \"{}\"; expected a measure of this run{}", kKey, metric, hint));
  }
}

Json judge(const Json& gates, const Json& metrics) {
  if (!gates.is_object() || gates.empty()) return nullptr;
  std::vector<std::string> names;
  for (const auto& [name, measure] : metrics.items()) names.push_back(name);
  check_gates_are_measured(gates, names);
  Json measures = Json::array();
  bool all = true;
  for (const auto& [name, bound] : gates.items()) {
    const Json& measure = metrics.at(name);
    const std::string better = measure.value("better", "");
    if (better != "higher" && better != "lower") throw InternalError(kWhere, fmt::format("the measure \"{}\" does not say which way is better", name));
    const Json value = measure.value("value", Json(nullptr));
    const double limit = bound.get<double>();
    const bool passed = value.is_number() && (better == "higher" ? value.get<double>() >= limit : value.get<double>() <= limit);
    measures.push_back({{"metric", name}, {"bound", bound}, {"better", better}, {"value", value}, {"passed", passed}});
    all = all && passed;
  }
  return {{"passed", all}, {"measures", std::move(measures)}};
}

std::string gates_text(const Json& judged) {
  if (!judged.is_object()) return "";
  std::string text = fmt::format("quality gates {}\n", judged.at("passed").get<bool>() ? "passed" : "FAILED");
  for (const Json& m : judged.at("measures")) {
    const Json& value = m.at("value");
    text += fmt::format("  {:<7} {} {}, {} {}\n", m.at("passed").get<bool>() ? "passed" : "FAILED", m.at("metric").get<std::string>(),
                        value.is_number() ? fmt::format("{:.4f}", value.get<double>()) : "undefined", m.at("better") == "higher" ? "at least" : "at most",
                        to_line(m.at("bound")));
  }
  return text;
}

}  // namespace danlu::app
