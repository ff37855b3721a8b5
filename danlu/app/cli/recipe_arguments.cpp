#include "danlu/app/cli/recipe_arguments.h"

#include "danlu/app/recipe/gates.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/threads.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "command line";

}  // namespace

void RecipeArguments::declare(Arguments& arguments) {
  arguments.words("recipe", words_, "a recipe file, then overrides like train.epochs=5");
  arguments.option("--data", data_, "without a recipe: a table file, or a directory of images");
  arguments.option("--target", target_, "without a recipe: the column to predict");
  arguments.option("--name", name_, "of the run; default: the recipe's");
}

Recipe RecipeArguments::load(const Context& context, const std::vector<std::string>& more) const {
  std::vector<std::string> overrides;
  std::string file;
  for (const std::string& word : words_) {
    if (word.find('=') != std::string::npos) {
      overrides.push_back(word);
    } else if (file.empty()) {
      file = word;
    } else {
      throw ConfigError(
          kWhere,
          fmt::format("got two recipes, {} and {}; expected one, then overrides like train.epochs=5", file, word));
    }
  }
  if (!name_.empty()) overrides.push_back(fmt::format("name={}", to_line(Json(name_))));
  if (context.threads > 0) overrides.push_back(fmt::format("threads={}", context.threads));
  overrides.insert(overrides.end(), more.begin(), more.end());
  if (file.empty() && data_.empty())
    throw ConfigError(kWhere, "expected a recipe file, or --data FILE --target COLUMN");
  if (file.empty()) return derive_recipe(data_, target_, overrides);
  if (!data_.empty() || !target_.empty()) {
    throw ConfigError(
        kWhere,
        "got a recipe, and --data or --target; to change the recipe's, say data.source=... and data.target=...");
  }
  return load_recipe(file, overrides);
}

std::unique_ptr<Pipeline> RecipeArguments::open(const Context& context) const {
  Recipe recipe = load(context);
  const RunDirectory directory(context.runs / recipe.name);
  return open_pipeline(std::move(recipe), directory, context.observer());
}

int tell_gates(const Pipeline& pipeline, const Context& context) {
  const Json& gates = pipeline.gates();
  if (gates.is_null()) return kOk;
  const bool passed = gates.at("passed").get<bool>();
  context.console.note(gates_text(gates), {{"event", "gates"}, {"passed", passed}, {"measures", gates.at("measures")}});
  return passed ? kOk : kBelowGates;
}

std::unique_ptr<Pipeline> reopen_run(const std::string& name_or_path, const Context& context) {
  std::unique_ptr<Pipeline> pipeline = reopen_pipeline(find_run(name_or_path, context.runs), context.observer());
  if (context.threads > 0) set_num_threads(context.threads);
  return pipeline;
}

}  // namespace danlu::app
