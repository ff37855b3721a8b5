#include "danlu/app/cli/find_bundle.h"
#include "danlu/app/cli/recipe_arguments.h"
#include "danlu/app/recipe/multiple_choice.h"

namespace danlu::app {
namespace {

constexpr int64_t kUsualFolds = 10;

class EvaluateVerb : public Verb {
 public:
  EvaluateVerb() : Verb("evaluate", "measure a trained run on its test split, or its recipe by cross-validation") {}

  void declare(Arguments& arguments) override {
    arguments.word("run", run_, "a run, by name or path");
    arguments.flag("--kfold", kfold_, "cross-validate the recipe: as it says, else 10 folds once");
    arguments.option(
        "--tasks", [this](const std::string& file) { tasks_.push_back(file); },
        "a multiple-choice task for a language model, a .jsonl file of {\"query\", \"choices\", \"gold\"}; may be given again");
    arguments.fields(given_);
    arguments.examples(
        "danlu evaluate medical\n"
        "danlu evaluate medical --kfold --repeats 5\n"
        "danlu evaluate prose --tasks questions.jsonl");
  }

  int run(const Context& context) override {
    if (!tasks_.empty()) return run_tasks(context);
    const std::unique_ptr<Pipeline> pipeline = reopen_run(run_, context);
    if (!kfold_) {
      pipeline->evaluate();
      return tell_gates(*pipeline, context);
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
  int run_tasks(const Context& context) const {
    infer::Generator generator(infer::LanguageModel::load(find_bundle(run_, context.runs)));
    for (const std::string& file : tasks_) {
      const MultipleChoiceResult result = run_multiple_choice(generator, file);
      const fs::path bundle = find_bundle(run_, context.runs);
      if (bundle.filename() == "bundle") write_json(bundle.parent_path() / (result.task + ".tasks.json"), to_json(result));
      context.console.result(to_text(result), to_json(result));
    }
    return kOk;
  }

  std::string run_;
  std::vector<std::string> tasks_;
  bool kfold_ = false;
  KfoldSection given_;
};

}  // namespace

std::unique_ptr<Verb> make_evaluate_verb() { return std::make_unique<EvaluateVerb>(); }

}  // namespace danlu::app
