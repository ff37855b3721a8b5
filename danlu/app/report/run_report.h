// report.html: one page of a run, for people. It is made from what lies in the run directory and can be made again at any time.
#pragma once

#include <string>

#include "danlu/app/recipe/run_directory.h"

namespace danlu::app {

// Throws FileError or DataError, which name the file, for a run directory that cannot be read.
std::string run_report(const RunDirectory& run);

// Into the run directory, atomically; its path.
fs::path write_run_report(const RunDirectory& run);

}  // namespace danlu::app
