// Quality gates: bounds that what is measured has to keep, or the run has failed, however well it went.
//
//   evaluate: {gates: {auc: 0.75, log_loss: 0.6}}
//
// A measure that is better the higher must reach its bound, one that is better the lower must not pass it; which of the two it is, the
// measure says itself: report.json has {"metrics": {"auc": {"value": 0.78, "better": "higher"}, ...}} for every kind of run. A measure
// that is undefined (null) keeps no bound.
#pragma once

#include <string>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/base/options.h"

namespace danlu::app {

// A value of evaluate.gates: names with finite numbers. Throws ConfigError with the place in the recipe.
void check_gates(const Json& gates, const Locate& locate);

// The measures that there will be, as soon as they are known. Throws ConfigError naming the nearest for one that will not be there.
void check_gates_are_measured(const Json& gates, const std::vector<std::string>& measures);

// {"passed": false, "measures": [{"metric": "auc", "bound": 0.75, "better": "higher", "value": 0.71, "passed": false}]}; null if there
// are no gates. Throws ConfigError for a measure that is not among `metrics`.
Json judge(const Json& gates, const Json& metrics);

// Lines for people; empty if there are no gates.
std::string gates_text(const Json& judged);

}  // namespace danlu::app
