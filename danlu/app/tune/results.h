// The results of a search: for programs, for a terminal, and as one page to look at.
#pragma once

#include <string>

#include "danlu/app/recipe/recipe.h"
#include "danlu/app/recipe/run_directory.h"
#include "danlu/learn/tune/search.h"

namespace danlu::app {

// tune.json: the trials in their order, the best, how much each key matters.
Json tune_results(const tune::Search& search, const Recipe& recipe, const RunDirectory& directory);

// A table, the best first, and what matters.
std::string tune_table(const Json& results);

// "train.optimizer.lr=0.003 model.hidden=[64]", to be put after a recipe on a command line.
std::string as_overrides(const Json& values);

// tune.html: one page that needs no network.
std::string tune_page(const Json& results);

}  // namespace danlu::app
