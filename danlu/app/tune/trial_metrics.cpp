#include "danlu/app/tune/trial_metrics.h"

#include <cmath>
#include <sstream>

#include "danlu/base/format.h"

namespace danlu::app {

double TrialMetrics::progress(const std::string& unit) const {
  if (unit == "epochs") return epochs;
  return static_cast<double>(unit == "steps" ? steps : validations);
}

TrialMetrics read_trial_metrics(const RunDirectory& trial, const std::string& metric) {
  TrialMetrics result;
  const fs::path path = trial.file("metrics.jsonl");
  if (!fs::exists(path)) return result;
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) {
    const Json json = parse_json(line, path.string());
    ++result.validations;
    result.steps = json.at("step").get<int64_t>();
    result.epochs = json.at("epoch").get<double>();
    const Json value = json.value("validation_" + metric, Json());
    if (json.value("best", false) && value.is_number()) result.value = value.get<double>();
  }
  return result;
}

Json trial_facts(const RunDirectory& trial, const TrialMetrics& metrics) {
  const Json training = trial.info().value("training", Json::object());
  return {{"validations", metrics.validations},
          {"epochs", metrics.epochs},
          {"steps", metrics.steps},
          {"stopped_by", training.value("stopped_by", "")},
          {"weights_hash", training.value("weights_hash", "")}};
}

}  // namespace danlu::app
