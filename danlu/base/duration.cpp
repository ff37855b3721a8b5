#include "danlu/base/duration.h"

#include <charconv>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu {
namespace {

// Seconds of a unit; 0 if there is no such unit.
double seconds_of(std::string_view unit) {
  if (unit.empty() || unit == "s") return 1;
  if (unit == "m" || unit == "min") return 60;
  if (unit == "h") return 3600;
  if (unit == "d") return 86400;
  return 0;
}

}  // namespace

double parse_duration(std::string_view text, std::string_view what) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = error == std::errc() ? text.substr(static_cast<size_t>(end - text.data())) : "?";
  const double seconds = number * seconds_of(unit);
  if (!(seconds > 0) || !std::isfinite(seconds)) {
    throw ConfigError("base.duration", fmt::format("{}: got \"{}\"; expected a time like 90s, 20m or 1.5h", what, text));
  }
  return seconds;
}

}  // namespace danlu
