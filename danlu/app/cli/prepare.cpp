#include <CLI/CLI.hpp>

#include "danlu/app/cli/verbs.h"
#include "danlu/base/format.h"

namespace danlu::app {

Verb add_prepare(CLI::App& app) {
  auto common = add_common(app);
  auto recipe_arguments = add_recipe_arguments(app);
  return [=] {
    const Recipe recipe = recipe_arguments->load();
    common->apply();
    Console console(common->form());
    Pipeline pipeline(recipe, RunDirectory(fs::path(common->runs) / recipe.name), console.observer());
    pipeline.prepare();
    console.print(fmt::format("next: danlu train {}\n", pipeline.directory().path().string()));
    return kOk;
  };
}

}  // namespace danlu::app
