#include <CLI/CLI.hpp>

#include "danlu/app/cli/verbs.h"
#include "danlu/base/error.h"
#include "danlu/base/threads.h"

namespace danlu::app {

void CommonArguments::apply() const {
  if (threads > 0) set_num_threads(threads);
}

std::shared_ptr<CommonArguments> add_common(CLI::App& app) {
  auto arguments = std::make_shared<CommonArguments>();
  app.add_option("--runs", arguments->runs, "directory of the runs")->envname("DANLU_RUNS")->capture_default_str();
  app.add_option("--log", arguments->log, "form of messages")->check(CLI::IsMember({"text", "json"}))->capture_default_str();
  app.add_flag("--quiet,-q", arguments->quiet, "say nothing but errors");
  app.add_option("--threads", arguments->threads, "threads of the engine; 0: all processors, or OMP_NUM_THREADS")->check(CLI::NonNegativeNumber);
  return arguments;
}

std::shared_ptr<RecipeArguments> add_recipe_arguments(CLI::App& app) {
  auto arguments = std::make_shared<RecipeArguments>();
  app.add_option("recipe", arguments->words, "recipe file, then key.sub=value overrides")->type_name("RECIPE [KEY=VALUE ...]");
  app.add_option("--data", arguments->data, "without a recipe: a table file or a directory of images");
  app.add_option("--target", arguments->target, "without a recipe: the column to predict");
  app.add_option("--name", arguments->name, "name of the run; default: the recipe's");
  return arguments;
}

Recipe RecipeArguments::load() const {
  std::vector<std::string> overrides;
  std::string file;
  for (const std::string& word : words) {
    if (word.find('=') != std::string::npos) overrides.push_back(word);
    else if (file.empty()) file = word;
    else throw ConfigError("app.cli", "got two recipes, " + file + " and " + word + "; expected one, then key.sub=value overrides");
  }
  if (!name.empty()) overrides.push_back("name=" + name);
  if (file.empty() == data.empty()) {
    throw ConfigError("app.cli", file.empty() ? "expected a recipe file, or --data FILE --target COLUMN" : "got a recipe and --data; expected one of them (data.source=... overrides the recipe's)");
  }
  return file.empty() ? derive_recipe(data, target, overrides) : load_recipe(file, overrides);
}

}  // namespace danlu::app
