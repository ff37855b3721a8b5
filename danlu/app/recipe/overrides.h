// Values of a recipe from outside its file: the environment, and key.sub=value on the command line.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/base/options.h"

namespace danlu::app {

// A key of the recipe that one variable can set. Below a free-form one (model, train.optimizer) any option may follow.
struct RecipeKey {
  std::string path;  // "train.epochs"
  bool free_form = false;
};

std::vector<RecipeKey> recipe_keys(const std::function<void(OptionVisitor&)>& describe);

// DANLU_TRAIN_EPOCHS sets train.epochs, DANLU_TRAIN_OPTIMIZER_LR sets train.optimizer.lr, DANLU_SEED sets seed. A
// variable that begins like a group of the recipe but fits no key is a ConfigError naming the nearest, like any
// misspelt key.
void apply_environment(Json& recipe, const std::vector<RecipeKey>& keys);

// "train.epochs=5", "model.hidden=[64, 32]": values are YAML. Throws ConfigError for anything else.
void apply_overrides(Json& recipe, const std::vector<std::string>& overrides);

}  // namespace danlu::app
