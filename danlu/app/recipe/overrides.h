// Values of a recipe from outside its file: the environment, and key.sub=value on the command line.
#pragma once

#include <functional>
#include <map>
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

// Where the values from outside come from: key path -> "DANLU_TRAIN_EPOCHS" or "command line".
using Origins = std::map<std::string, std::string>;

// Names the origin of a key that was set from outside, or of the nearest path above it; else what `file` says.
Locate locate_with(Locate file, Origins origins);

std::vector<RecipeKey> recipe_keys(const std::function<void(OptionVisitor&)>& describe);

// DANLU_TRAIN_EPOCHS sets train.epochs, DANLU_TRAIN_OPTIMIZER_LR sets train.optimizer.lr, DANLU_SEED sets seed. A
// variable that begins like a group of the recipe but fits no key is a ConfigError naming the nearest, like any
// misspelt key. Adds what it sets to `origins`.
void apply_environment(Json& recipe, const std::vector<RecipeKey>& keys, Origins& origins);

// The value at a key path; null if there is none.
const Json* find_value(const Json& recipe, const std::string& key_path);
// Sets one value, opening groups on the way. `origin` stands for the file in messages.
void set_value(Json& recipe, const std::string& key_path, Json value, const std::string& origin);

// "train.epochs=5", "model.hidden=[64, 32]": values are YAML. Throws ConfigError for anything else.
void apply_overrides(Json& recipe, const std::vector<std::string>& overrides, Origins& origins);

}  // namespace danlu::app
