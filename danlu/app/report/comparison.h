// Runs side by side, as one page: measures, curves over each other, what differed, what it took.
#pragma once

#include <span>
#include <string>

#include "danlu/app/recipe/run_directory.h"

namespace danlu::app {

// The first run is what the others are compared with. Throws ConfigError for less than two runs; FileError or DataError, which name the
// file, for a run directory that cannot be read.
std::string comparison_report(std::span<const RunDirectory> runs);

}  // namespace danlu::app
