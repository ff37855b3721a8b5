#include "danlu/app/cli/recipe_arguments.h"
#include "danlu/base/eta.h"
#include "danlu/base/format.h"

namespace danlu::app {
namespace {

class TrainVerb : public Verb {
 public:
  TrainVerb() : Verb("train", "train a prepared run") {}

  void declare(Arguments& arguments) override {
    arguments.word("run", run_, "a prepared run, by name or path");
    arguments.examples("danlu train medical");
  }

  int run(const Context& context) override {
    const std::unique_ptr<Pipeline> pipeline = reopen_run(run_, context);
    const train::Result result = pipeline->train();
    const std::string path = pipeline->directory().path().string();
    context.console.note(
        fmt::format("{} updates in {}, stopped by {}; best {} {:.4f} at step {}\n{}: danlu evaluate {}\n", result.steps,
                    format_duration(result.seconds), result.stopped_by, result.monitor, result.best_value,
                    result.best_step, path, path),
        {{"event", "trained"}, {"run", path}, {"stopped_by", result.stopped_by}});
    return result.stopped_by == "request" ? kFailed : kOk;
  }

 private:
  std::string run_;
};

}  // namespace

std::unique_ptr<Verb> make_train_verb() { return std::make_unique<TrainVerb>(); }

}  // namespace danlu::app
