// What training and answers cost: processor time, memory, and money where the recipe says what an hour of the machine costs.
#pragma once

#include <optional>
#include <string>

#include "danlu/base/json.h"

namespace danlu::app {

// How long something was at work, and how long the processors were: of all threads together.
struct Effort {
  double seconds = 0, cpu_seconds = 0;
};

// For 1,000 answers, of as many as took that effort: {"seconds", "cpu_seconds", "price"}. The price is that of the whole machine for so
// long; null without `price_per_hour`. Null where there are no answers.
Json per_thousand(double answers, const Effort& effort, const std::optional<double>& price_per_hour);

// "0.00012", with two digits that count; money of no named currency.
std::string price_text(double price);

// The list of a model card, in Markdown; from run.json and report.json.
std::string cost_text(const Json& info, const Json& report);

}  // namespace danlu::app
