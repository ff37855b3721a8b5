#include "danlu/app/cli/recipe_arguments.h"

namespace danlu::app {
namespace {

constexpr int64_t kUsualFolds = 10;

class EvaluateVerb : public Verb {
 public:
  EvaluateVerb() : Verb("evaluate", "measure a trained run on its test split, or its recipe by cross-validation") {}

  void declare(Arguments& arguments) override {
    arguments.word("run", run_, "a run, by name or path");
    arguments.flag("--kfold", kfold_, "cross-validate the recipe: as it says, else 10 folds once");
    arguments.fields(given_);
    arguments.examples("danlu evaluate medical\ndanlu evaluate medical --kfold --repeats 5");
  }

  int run(const Context& context) override {
    const std::unique_ptr<Pipeline> pipeline = reopen_run(run_, context);
    if (!kfold_) {
      pipeline->evaluate();
      return kOk;
    }
    KfoldSection options = pipeline->recipe().evaluate.kfold;
    const KfoldSection defaults;
    if (options.folds == 0) options.folds = kUsualFolds;
    if (given_.folds != defaults.folds) options.folds = given_.folds;
    if (given_.repeats != defaults.repeats) options.repeats = given_.repeats;
    if (given_.seed != defaults.seed) options.seed = given_.seed;
    pipeline->kfold(options);
    return kOk;
  }

 private:
  std::string run_;
  bool kfold_ = false;
  KfoldSection given_;
};

}  // namespace

std::unique_ptr<Verb> make_evaluate_verb() { return std::make_unique<EvaluateVerb>(); }

}  // namespace danlu::app
