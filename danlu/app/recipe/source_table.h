// The table that data.source names, for runs that make something else of it than labelled samples.
#pragma once

#include <string>

#include "danlu/app/recipe/recipe.h"
#include "danlu/data/table/table.h"

namespace danlu::app {

// Throws FileError, with the key of the recipe, for a path that does not exist.
void require_source(const char* key, const std::string& path);

// `of` says what its rows are, as in "of interactions". Throws FileError if there is none, ConfigError for a directory, DataError as
// data::read_table does.
data::Table read_source_table(const DataSection& options, const char* of);

}  // namespace danlu::app
