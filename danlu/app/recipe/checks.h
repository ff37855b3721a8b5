// What no single field of a recipe can tell: that its parts fit together. Each check is a function named after what it
// asks for and throws ConfigError with the line.
#pragma once

#include "danlu/app/recipe/data_source.h"
#include "danlu/app/recipe/recipe.h"

namespace danlu::app {

// As soon as a recipe is read, before any data are.
void check_recipe(const Recipe& recipe, const Locate& locate);

// The same, for what people wrote: that nothing is set which a recipe of this kind passes over. `data.source` is expanded.
void check_everything_is_read(const Recipe& recipe, const Locate& locate);

// Once the data are known: before hours are spent, not after.
void check_against_data(const Recipe& recipe, const FittedData& data, const data::Split& split);

}  // namespace danlu::app
