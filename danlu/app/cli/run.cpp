#include "danlu/app/cli/recipe_arguments.h"
#include "danlu/base/duration.h"
#include "danlu/base/format.h"

namespace danlu::app {
namespace {

class RunVerb : public Verb {
 public:
  RunVerb() : Verb("run", "prepare, train, evaluate and bundle: the main job") {}

  void declare(Arguments& arguments) override {
    recipe_.declare(arguments);
    arguments.flag("--fresh", fresh_, "begin again, though an interrupted run of this recipe could go on");
    arguments.option("--deadline", deadline_, "end the training within this time, the schedule at its end: 90s, 20m, 1.5h");
    arguments.flag("--profile", profile_, "where the time of an update goes: a table, and a trace for chrome://tracing");
    arguments.examples(
        "danlu run recipes/medical.yaml\n"
        "danlu run recipes/fashion.yaml train.epochs=3\n"
        "danlu run --data patients.csv --target diagnosis");
  }

  int run(const Context& context) override {
    const std::unique_ptr<Pipeline> pipeline = recipe_.open(context);
    pipeline->set_profile(profile_);
    if (!deadline_.empty()) pipeline->set_deadline(parse_duration(deadline_, "--deadline"));
    const bool finished = pipeline->run(fresh_ ? train::Start::afresh : train::Start::resume);
    const std::string path = pipeline->directory().path().string();
    const std::string next = finished
                                 ? fmt::format("weights {}\n{}: {}\n", pipeline->directory().info()["training"].value("weights_hash", ""), path, what_next(pipeline->recipe().kind(), path))
                                 : fmt::format("{0} was stopped{1}; its best weights so far: danlu evaluate {0}\n", path,
                                               pipeline->goes_on() ? " and saved; go on: the same command again" : "; the same command begins again");
    context.console.note(next, {{"event", finished ? "finished" : "stopped"}, {"run", path}});
    if (!finished) return kFailed;
    const int gates = tell_gates(*pipeline, context);
    return pipeline->compression() && !pipeline->compression()->worth() ? kBelowGates : gates;
  }

 private:
  static std::string what_next(RecipeKind kind, const std::string& path) {
    if (kind == RecipeKind::pretraining) return fmt::format("another model begins with it by transfer: {{from: {}}}", path);
    const std::string answer = kind == RecipeKind::language ? fmt::format("danlu generate {} --prompt TEXT", path) : fmt::format("danlu predict {} FILE", path);
    return fmt::format("{}   danlu serve {}", answer, path);
  }

  RecipeArguments recipe_;
  std::string deadline_;
  bool fresh_ = false, profile_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_run_verb() { return std::make_unique<RunVerb>(); }

}  // namespace danlu::app
