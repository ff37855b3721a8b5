// Measures as JSON: what is undefined is null.
#pragma once

#include <span>

#include "danlu/base/json.h"
#include "danlu/eval/bootstrap.h"

namespace danlu::eval {

Json number_or_null(double value);
Json numbers_or_null(std::span<const double> values);
// [low, high]
Json to_json(const Interval& interval);
// {"value", "better": "higher" | "lower", "interval"}; no interval where it is undefined. The form of metrics that a report names.
Json measure_json(double value, const char* better, const Interval& interval);
// {"difference", "interval", "p_value"}
Json to_json(const PairedComparison& comparison);

}  // namespace danlu::eval
