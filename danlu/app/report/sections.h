// The sections of a report, as HTML; each is empty where the run has nothing to say of it.
#pragma once

#include <string>

#include "danlu/app/report/plot.h"
#include "danlu/app/report/run_files.h"

namespace danlu::app {

// A metric of report.json.
struct Measure {
  std::string key, name;  // "auc", "ROC-AUC"
  double value = 0;
  Range interval;  // NaN where there is none
  bool higher_is_better = true;
  bool is_share = false;  // of all, so that per cent are meant

  std::string text() const;
  std::string interval_text() const;  // "0.94 to 1.00"; empty if there is none
};
std::vector<Measure> measures(const RunFiles& run);

// headline.cpp: what a reader in a hurry sees.
std::string headline(const RunFiles& run);
// quality.cpp: every measure, confusion, ROC, precision and recall, calibration, classes.
std::string quality_section(const RunFiles& run);
// recommendation.cpp: a recommender beside popularity, and examples of what it recommends.
std::string recommendation_section(const RunFiles& run);
// clusters.cpp: what each group is like.
std::string cluster_section(const RunFiles& run);
// forecast.cpp: a forecaster beside the naive forecasts, and what it foretold.
std::string forecast_section(const RunFiles& run);
// faq.cpp: a FAQ beside a search by words, and examples of what was asked.
std::string faq_section(const RunFiles& run);
// compression.cpp: a smaller model beside the one that it was made of.
std::string compression_section(const RunFiles& run);
// training.cpp: loss, accuracy, learning rate, gradient norm.
std::string training_section(const RunFiles& run);
// examples.cpp: where the model erred most, what it is least sure of, what it writes.
std::string examples_section(const RunFiles& run);
// explanation.cpp: what counts for the model, and why it answered as it did.
std::string explanation_section(const RunFiles& run);
std::string explanation_body(const Json& explanation);  // of explanation.json
// record.cpp: speed and memory; data; recipe; where all this comes from.
std::string speed_section(const RunFiles& run);
std::string data_section(const RunFiles& run);
std::string recipe_section(const RunFiles& run);
std::string lineage_section(const RunFiles& run);

// A column of metrics.jsonl over another, "epoch", "step" or "seconds"; NaN where a line lacks it.
Series history(const RunFiles& run, const char* over, const char* key, const std::string& name, int colour);
// What tells the most: "epoch", or "step" for less than three epochs.
const char* history_axis(const RunFiles& run);
bool has_values(const Series& series);

}  // namespace danlu::app
