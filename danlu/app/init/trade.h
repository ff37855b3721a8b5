// Recipes for the user's own data, one for each trade that the project has a recipe for.
//
// They are not written here: recipes/*.yaml is built into the program (embedded_recipes.h), and a trade is one of those with its data
// section turned to the user's files. What is learnt, and how, is what the recipe was measured with.
#pragma once

#include <span>
#include <string>

#include "danlu/base/files.h"

namespace danlu::app {

struct Trade {
  const char* name;    // "credit"
  const char* recipe;  // recipes/NAME.yaml
  const char* help;    // a line
  const char* source;  // of the user's data, below the project's directory
  const char* data;    // what the user puts there, for the README
  const char* notice;  // what every answer says besides; may be empty
};

// Those whose recipe is in this program.
std::span<const Trade> trades();
// Throws ConfigError naming the nearest and all there are.
const Trade& find_trade(const std::string& name);

// The recipe, as YAML, and the README beside it.
std::string trade_recipe(const Trade& trade);
std::string trade_readme(const Trade& trade);

}  // namespace danlu::app
