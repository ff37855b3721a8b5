#include "danlu/app/cli/recipe_arguments.h"
#include "danlu/base/duration.h"
#include "danlu/base/error.h"
#include "danlu/base/eta.h"
#include "danlu/base/format.h"
#include "danlu/learn/train/checkpoint_store.h"

namespace danlu::app {
namespace {

class TrainVerb : public Verb {
 public:
  TrainVerb() : Verb("train", "train a prepared run") {}

  void declare(Arguments& arguments) override {
    arguments.word("run", run_, "a prepared run, by name or path");
    arguments.flag("--resume", resume_, "go on from the newest saved state, to the same weights as without the interruption");
    arguments.flag("--fresh", fresh_, "begin again, though there is a state to go on from");
    arguments.option("--deadline", deadline_, "end within this time, the schedule at its end: 90s, 20m, 1.5h");
    arguments.flag("--profile", profile_, "where the time of an update goes: a table, and a trace for chrome://tracing");
    arguments.examples(
        "danlu train medical\n"
        "danlu train medical --resume\n"
        "danlu train poet --deadline 20m");
  }

  int run(const Context& context) override {
    const std::unique_ptr<Pipeline> pipeline = reopen_run(run_, context);
    pipeline->set_profile(profile_);
    if (!deadline_.empty()) pipeline->set_deadline(parse_duration(deadline_, "--deadline"));
    const std::string path = pipeline->directory().path().string();
    const train::Result result = pipeline->train(start(pipeline->directory()));
    if (result.stopped_by == "request") {
      context.console.note(pipeline->goes_on() ? fmt::format("{0} was stopped at step {1} and saved; go on: danlu train {0} --resume\n", path, result.steps)
                                               : fmt::format("{0} was stopped; begin again: danlu train {0}; its best weights so far: danlu evaluate {0}\n", path),
                           {{"event", "stopped"}, {"run", path}, {"step", result.steps}});
      return kFailed;
    }
    context.console.note(
        fmt::format("{} updates in {}, stopped by {}; best {} {:.4f} at step {}\nweights {}\n{}: danlu evaluate {}\n", result.steps,
                    format_duration(result.seconds), result.stopped_by, result.monitor, result.best_value,
                    result.best_step, pipeline->directory().info()["training"].value("weights_hash", ""), path, path),
        {{"event", "trained"}, {"run", path}, {"stopped_by", result.stopped_by}});
    return kOk;
  }

 private:
  // A state that a stopped training has left is not thrown away without a word.
  train::Start start(const RunDirectory& run) const {
    if (resume_ && fresh_) throw ConfigError("command line", "got --resume and --fresh; expected one of them");
    if (resume_) return train::Start::resume;
    const std::string status = run.status();
    const bool unfinished = status == "interrupted" || status == "stopped";
    if (unfinished && !fresh_ && train::CheckpointStore(run.checkpoints()).has_state()) {
      throw ConfigError("command line", fmt::format("{} was {} and has a saved state; expected --resume to go on from it, or --fresh to begin again",
                                                    run.path().string(), status));
    }
    return train::Start::afresh;
  }

  std::string run_, deadline_;
  bool resume_ = false, fresh_ = false, profile_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_train_verb() { return std::make_unique<TrainVerb>(); }

}  // namespace danlu::app
