// What the directory of a trial says of how far it has come, and how well.
#pragma once

#include <optional>
#include <string>

#include "danlu/app/recipe/run_directory.h"

namespace danlu::app {

struct TrialMetrics {
  int64_t validations = 0;
  double epochs = 0;
  int64_t steps = 0;
  std::optional<double> value;  // of the metric, "loss" or "accuracy", at the best checkpoint

  double progress(const std::string& unit) const;  // in validations, epochs or steps
};

// From metrics.jsonl; nothing of a validation split is read there but that.
TrialMetrics read_trial_metrics(const RunDirectory& trial, const std::string& metric);

// For the journal: how far it came, by what it ended, the hash of its weights.
Json trial_facts(const RunDirectory& trial, const TrialMetrics& metrics);

}  // namespace danlu::app
