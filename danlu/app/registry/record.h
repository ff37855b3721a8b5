// A run directory in the registry's terms.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "danlu/app/recipe/run_directory.h"
#include "danlu/base/json.h"
#include "danlu/learn/registry/run_record.h"

namespace danlu::app {

// Reads what lies in the directory, as far as the run has come. The key has the run's path below the directory of runs; the run
// belongs to the part before the last slash, if there is one. Throws FileError or DataError, which name the file.
registry::RunRecord read_record(const RunDirectory& run, registry::RunKey key);

// Another one after whatever a stage, an epoch or a tag has written; it costs three looks at the file system.
std::string stamp_of(const RunDirectory& run);

// Tags are kept in the run directory too, in tags.json.
std::vector<std::string> read_tags(const RunDirectory& run);
// Nobody else changes them meanwhile. Returns what they are then. Throws ConfigError for one that is empty or very long.
std::vector<std::string> edit_tags(const RunDirectory& run, const std::function<void(std::vector<std::string>&)>& edit);

}  // namespace danlu::app
