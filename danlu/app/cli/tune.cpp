#include "danlu/app/cli/recipe_arguments.h"
#include "danlu/app/tune/results.h"
#include "danlu/app/tune/tuner.h"
#include "danlu/base/eta.h"
#include "danlu/base/format.h"
#include "danlu/base/timer.h"

namespace danlu::app {
namespace {

class TuneVerb : public Verb {
 public:
  TuneVerb() : Verb("tune", "search for better values of a recipe's keys") {}

  void declare(Arguments& arguments) override {
    recipe_.declare(arguments);
    arguments.option("--trials", trials_, "how many; over tune.trials of the recipe");
    arguments.option("--time", time_, "begin no trial after this time: 90s, 20m, 1.5h; over tune.time");
    arguments.option("--method", method_, "tpe, random, grid or asha; over tune.method");
    arguments.flag("--fresh", fresh_, "begin again, though an earlier search of this recipe could go on");
    arguments.examples(
        "danlu tune recipes/medical.yaml --trials 30\n"
        "danlu tune recipes/fashion.yaml --time 1h --method asha\n"
        "danlu tune credit.yaml --trials 20 'tune.space={train.optimizer.lr: {log_uniform: [1e-4, 1e-1]}}'");
  }

  int run(const Context& context) override {
    Recipe recipe = recipe_.load(context, overrides());
    const RunDirectory directory(context.runs / (recipe.name + "-tune"));
    Tuner tuner(std::move(recipe), directory, observer(context));
    const bool finished = tuner.run(fresh_);
    const std::string path = directory.path().string();
    if (!finished) {
      context.console.note(fmt::format("{} was stopped and saved after {} trials; go on: the same command again\n", path, ended(tuner.search())),
                           {{"event", "stopped"}, {"run", path}});
      return kFailed;
    }
    const Json results = read_json(directory.file("tune.json"));
    const Json& best = results["best"];
    context.console.result(tune_table(results), {{"event", "tuned"}, {"results", results}});
    const std::string winner = tuner.best_directory().path().string();
    context.console.note(fmt::format("best: trial {}, {} {:.5g}: {}\nweights {}\n{}/tune.html   {}: danlu evaluate {}   danlu serve {}\n", best["trial"].get<int64_t>(),
                                     results["metric"].get<std::string>(), best["value"].get<double>(), as_overrides(best["params"]),
                                     tuner.best_directory().info()["training"].value("weights_hash", ""), path, winner, winner, winner),
                         {{"event", "finished"}, {"run", winner}});
    return kOk;
  }

 private:
  std::vector<std::string> overrides() const {
    std::vector<std::string> words;
    if (!trials_.empty()) words.push_back("tune.trials=" + trials_);
    if (!time_.empty()) words.push_back("tune.time=" + to_line(Json(time_)));
    if (!method_.empty()) words.push_back("tune.method=" + method_);
    return words;
  }

  static int64_t ended(const tune::Search& search) {
    int64_t count = 0;
    for (const tune::Trial& trial : search.trials()) count += trial.state == tune::Trial::State::running ? 0 : 1;
    return count;
  }

  static std::string line(const tune::Search& search, const tune::Trial& trial) {
    const std::string of = search.options().trials ? fmt::format("/{}", *search.options().trials) : "";
    const bool best = search.best() == &trial;
    std::string text = fmt::format("trial {}{}  ", trial.number, of);
    if (trial.state == tune::Trial::State::failed) return text + fmt::format("failed: {}\n", trial.error);
    text += fmt::format("{:.5g}{}  {}", *trial.value, best ? " *" : "  ", as_overrides(tune::to_json(search.space(), trial.point)));
    if (trial.state == tune::Trial::State::paused) text += fmt::format("  at rung {}", trial.rungs.size());
    return text + fmt::format("  {}{}\n", format_duration(trial.seconds), left(search));
  }

  // By the mean of the trials so far. Successive halving does not know how many will go on.
  static std::string left(const tune::Search& search) {
    const tune::TuneOptions& options = search.options();
    const auto done = static_cast<int64_t>(search.trials().size());
    if (!options.trials || options.method == "asha" || done >= *options.trials) return "";
    return fmt::format("   {} left", format_duration(search.seconds() / static_cast<double>(done) * static_cast<double>(*options.trials - done)));
  }

  static TuneObserver observer(const Context& context) {
    Console& console = context.console;
    TuneObserver o;
    o.run = context.observer();
    o.on_resume = [&console](const tune::Search& search) {
      console.note(fmt::format("goes on after {} trials\n", ended(search)), {{"event", "resume"}, {"trials", ended(search)}});
    };
    o.on_task = [&console](const tune::Task&) { console.restart_progress(); };
    o.on_trial = [&console](const tune::Search& search, const tune::Trial& trial) {
      console.note(line(search, trial), {{"event", "trial"},
                                         {"trial", trial.number},
                                         {"state", tune::name_of(trial.state)},
                                         {"value", trial.value ? Json(*trial.value) : Json(nullptr)},
                                         {"params", tune::to_json(search.space(), trial.point)},
                                         {"seconds", trial.seconds},
                                         {"best", search.best() == &trial}});
    };
    return o;
  }

  RecipeArguments recipe_;
  std::string trials_, time_, method_;
  bool fresh_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_tune_verb() { return std::make_unique<TuneVerb>(); }

}  // namespace danlu::app
