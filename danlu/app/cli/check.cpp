#include "danlu/app/cli/recipe_arguments.h"

namespace danlu::app {
namespace {

class CheckVerb : public Verb {
 public:
  CheckVerb() : Verb("check", "check a recipe and its data, and say what a run would do") {}

  void declare(Arguments& arguments) override {
    recipe_.declare(arguments);
    arguments.flag("--options", options_, "list every option of a recipe with its default, and end");
    arguments.flag("--schema", schema_, "print the JSON schema of recipes, and end");
    arguments.flag("--resolved", resolved_, "print the recipe with every default and every automatic choice");
    arguments.examples("danlu check recipes/medical.yaml\ndanlu check --options");
  }

  int run(const Context& context) override {
    if (options_ || schema_) {
      const Json schema = schema_options(Recipe());
      context.console.result(schema_ ? schema.dump(2) + "\n" : help_options(Recipe()), schema);
      return kOk;
    }
    const std::unique_ptr<Pipeline> pipeline = recipe_.open(context);
    pipeline->check();
    if (resolved_) context.console.result(pipeline->recipe().render(), write_options(pipeline->recipe()));
    context.console.note("the recipe is sound\n", {{"event", "checked"}});
    return kOk;
  }

 private:
  RecipeArguments recipe_;
  bool options_ = false, schema_ = false, resolved_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_check_verb() { return std::make_unique<CheckVerb>(); }

}  // namespace danlu::app
