#include <CLI/CLI.hpp>

#include "danlu/app/cli/verbs.h"

namespace danlu::app {

Verb add_evaluate(CLI::App& app) {
  auto common = add_common(app);
  auto run = std::make_shared<std::string>();
  auto kfold = std::make_shared<bool>(false);
  app.add_option("run", *run, "a trained run, by name or path")->required();
  app.add_flag("--kfold", *kfold, "the cross-validation of the recipe (evaluate.kfold) instead of the test split");
  return [=] {
    common->apply();
    Console console(common->form());
    watch_signals();
    Pipeline pipeline(find_run(*run, common->runs), console.observer());
    if (*kfold) pipeline.kfold();
    else pipeline.evaluate();
    return kOk;
  };
}

}  // namespace danlu::app
