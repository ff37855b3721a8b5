#include <CLI/CLI.hpp>

#include "danlu/app/cli/verbs.h"
#include "danlu/base/format.h"
#include "danlu/base/threads.h"

namespace danlu::app {

Verb add_run(CLI::App& app) {
  auto common = add_common(app);
  auto recipe_arguments = add_recipe_arguments(app);
  app.footer("danlu run recipes/medical.yaml\ndanlu run recipes/fashion.yaml train.epochs=3\ndanlu run --data patients.csv --target diagnosis");
  return [=] {
    const Recipe recipe = recipe_arguments->load();
    if (recipe.threads > 0) set_num_threads(static_cast<int>(recipe.threads));
    common->apply();
    Console console(common->form());
    watch_signals();
    Pipeline pipeline(recipe, RunDirectory(fs::path(common->runs) / recipe.name), console.observer());
    pipeline.run();
    const fs::path run = pipeline.directory().path();
    console.event({{"event", "finished"}, {"run", run.string()}, {"bundle", (run / "bundle").string()}});
    console.print(fmt::format("run {0}\nnext: danlu predict {0} FILE    danlu serve {0}\n", run.string()));
    return kOk;
  };
}

}  // namespace danlu::app
