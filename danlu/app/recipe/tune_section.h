// What the section `tune` of a recipe means for the rest of it.
#pragma once

#include "danlu/app/recipe/recipe.h"

namespace danlu::app {

// "loss" or "accuracy".
std::string tuned_metric(const Recipe& recipe);
bool tune_maximizes(const Recipe& recipe);

// As soon as a recipe is read: that its space and its values for trials are keys that there are, with values that they take, and
// that trials can be compared with one another. Throws ConfigError with the line.
void check_tune_section(const Recipe& recipe, const Locate& locate);

// Before a search: that there is something to search, and that it ends. Throws ConfigError.
void check_can_tune(const Recipe& recipe);

}  // namespace danlu::app
