#include <CLI/CLI.hpp>

#include "danlu/app/cli/verbs.h"
#include "danlu/base/format.h"

namespace danlu::app {

Verb add_train(CLI::App& app) {
  auto common = add_common(app);
  auto run = std::make_shared<std::string>();
  app.add_option("run", *run, "a prepared run, by name or path")->required();
  return [=] {
    common->apply();
    Console console(common->form());
    watch_signals();
    Pipeline pipeline(find_run(*run, common->runs), console.observer());
    const train::Result result = pipeline.train();
    pipeline.bundle();
    console.print(fmt::format("{} updates in {}, stopped by {}; best {} {:.4f} at step {}\nnext: danlu evaluate {}\n", result.steps, format_duration(result.seconds),
                              result.stopped_by, result.monitor, result.best_value, result.best_step, pipeline.directory().path().string()));
    return kOk;
  };
}

}  // namespace danlu::app
