// Lengths of time as people write them: "90", "90s", "20m", "1.5h", "2d"; without a letter in seconds.
#pragma once

#include <string_view>

namespace danlu {

// In seconds, above 0. Throws ConfigError, which names `what`, for anything else.
double parse_duration(std::string_view text, std::string_view what);

}  // namespace danlu
