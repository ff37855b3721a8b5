// All metrics by name. To add one: write its function in metrics.cpp and give it one line of the table there.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "danlu/eval/counts.h"
#include "danlu/eval/predictions.h"

namespace danlu::eval {

enum class Direction : uint8_t { higher_is_better, lower_is_better };

struct Metric {
  const char* name;     // in recipes and files: "f1_macro"
  const char* display;  // in tables: "F1 (macro)"
  Direction direction;
  uint8_t tasks;  // a bit for each Task that has it
  // Does what needs doing once (sorting, losses) and gives the measure of any resample. It refers to the predictions,
  // which must outlive it.
  Statistic (*prepare)(const Predictions&);

  bool has(Task task) const { return (tasks >> static_cast<unsigned>(task) & 1) != 0; }
  // Whether a is a better score than b. NaN is worse than any number.
  bool is_better(double a, double b) const;
};

std::span<const Metric> all_metrics();

// Throws ConfigError, naming the nearest, if there is no such metric or the task does not have it.
const Metric& find_metric(std::string_view name, Task task);

// What is reported if nobody chose, the most telling first.
std::vector<std::string> default_metrics(Task task);

// One metric of all samples. NaN where it is undefined (AUC with one class only). Throws as find_metric does.
double compute_metric(std::string_view name, const Predictions& predictions);

}  // namespace danlu::eval
