#include <CLI/CLI.hpp>

#include "danlu/app/cli/verbs.h"
#include "danlu/base/format.h"
#include "danlu/learn/models/model.h"

namespace danlu::app {

Verb add_check(CLI::App& app) {
  auto common = add_common(app);
  auto recipe_arguments = add_recipe_arguments(app);
  auto options = std::make_shared<bool>(false);
  auto schema = std::make_shared<bool>(false);
  app.add_flag("--options", *options, "list every option of a recipe with its default, and end");
  app.add_flag("--schema", *schema, "print the JSON schema of a recipe, and end");
  return [=] {
    Console console(common->form());
    if (*options) {
      console.print(help_options(Recipe()));
      return kOk;
    }
    if (*schema) {
      console.print(schema_options(Recipe()).dump(2) + "\n");
      return kOk;
    }
    Recipe recipe = recipe_arguments->load();
    const auto source = open_source(recipe.data);
    complete(recipe, source->kind() == infer::InputKind::image, source->size());
    train::check(recipe.train);
    const data::Split split = data::split({.size = source->size(), .labels = source->strata(), .hashes = source->hashes(), .given = source->given()}, recipe.data.split);
    const FittedData fitted = source->fit(split.train);
    const auto model = models::parse_model(recipe.model).make(fitted.input_shape, data::task_outputs(fitted.task, static_cast<int64_t>(fitted.class_names.size())));
    const auto train_samples = static_cast<int64_t>(fitted.training_samples.size());
    const int64_t updates = (train_samples + recipe.train.batch_size - 1) / recipe.train.batch_size;
    console.print(recipe.render() + "\n");
    console.print(source->report(split).text + "\n");
    console.print(fitted.reasons + "\n");
    console.print(fmt::format("{} task; {} train, {} validation, {} test; {} updates an epoch\n\n{}", data::name_of(fitted.task), train_samples, split.validation.size(),
                              split.test.size(), updates, models::summary(*model, fitted.input_shape)));
    return kOk;
  };
}

}  // namespace danlu::app
