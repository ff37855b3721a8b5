// What the intervals of a report are called, by the level that they were made for.
#pragma once

#include <string>

#include "danlu/base/json.h"

namespace danlu::app {

// "95 % interval". `measured` is report.json; what says no "confidence" has intervals of the usual level.
std::string interval_name(const Json& measured);

}  // namespace danlu::app
