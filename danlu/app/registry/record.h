// A run directory in the registry's terms.
#pragma once

#include <string>
#include <vector>

#include "danlu/app/recipe/run_directory.h"
#include "danlu/base/json.h"
#include "danlu/learn/registry/run_record.h"

namespace danlu::app {

// Reads what lies in the directory, as far as the run has come. `name` is the run's path below the directory of runs; the run
// belongs to the part before the last slash, if there is one. Throws FileError or DataError, which name the file.
registry::RunRecord read_record(const RunDirectory& run, registry::RunKey key);

// Another one after whatever a stage or a tag has written; it costs two looks at the file system.
std::string stamp_of(const RunDirectory& run);

// Tags are kept in the run directory too, in tags.json.
std::vector<std::string> read_tags(const RunDirectory& run);
void write_tags(const RunDirectory& run, const std::vector<std::string>& tags);

}  // namespace danlu::app
