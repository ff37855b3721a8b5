#include "danlu/eval/measure_json.h"

#include <cmath>

namespace danlu::eval {

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json numbers_or_null(std::span<const double> values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(number_or_null(value));
  return list;
}

Json to_json(const Interval& interval) { return Json::array({number_or_null(interval.low), number_or_null(interval.high)}); }

Json measure_json(double value, const char* better, const Interval& interval) {
  Json json = {{"value", number_or_null(value)}, {"better", better}};
  if (std::isfinite(interval.low) && std::isfinite(interval.high)) json["interval"] = to_json(interval);
  return json;
}

Json to_json(const PairedComparison& comparison) {
  return {{"difference", number_or_null(comparison.difference)}, {"interval", to_json(comparison.interval)}, {"p_value", number_or_null(comparison.p_value)}};
}

}  // namespace danlu::eval
