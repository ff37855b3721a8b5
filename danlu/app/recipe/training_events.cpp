#include "danlu/app/recipe/training_events.h"

namespace danlu::app {
namespace {

// The leaves of a recipe's section by their key path, as far as they are numbers, words or truths.
void flatten(const std::string& path, const Json& json, std::map<std::string, formats::EventWriter::Hyperparameter>& values) {
  if (json.is_object()) {
    for (const auto& [key, value] : json.items()) flatten(path + "." + key, value, values);
  } else if (json.is_boolean()) {
    values[path] = json.get<bool>();
  } else if (json.is_number()) {
    values[path] = json.get<double>();
  } else if (!json.is_null()) {
    values[path] = json.is_string() ? json.get<std::string>() : to_line(json);
  }
}

}  // namespace

TrainingEvents::TrainingEvents(const fs::path& directory, const Recipe& recipe, const nn::Module& model, int64_t resumed)
    : model_(model), writer_(directory, resumed + 1) {
  std::map<std::string, formats::EventWriter::Hyperparameter> values = {{"seed", static_cast<double>(recipe.seed)}};
  flatten("model", recipe.model, values);
  flatten("train", write_options(recipe.train), values);
  writer_.hyperparameters(values);
  writer_.text("recipe", 0, "```yaml\n" + recipe.render() + "```\n");
}

void TrainingEvents::step(const train::StepReport& r) {
  if (r.progress.step % kEvery != 0) return;
  writer_.scalar("loss/train", r.progress.step, r.loss);
  if (r.average_accuracy) writer_.scalar("accuracy/train", r.progress.step, *r.average_accuracy);
  writer_.scalar("lr", r.progress.step, r.lr);
  writer_.scalar("gradient_norm", r.progress.step, r.gradient_norm);
  writer_.scalar(std::string("speed/") + r.unit + "_per_second", r.progress.step, r.terms_per_second);
}

void TrainingEvents::validated(const train::EpochReport& r) {
  if (r.validation_loss) writer_.scalar("loss/validation", r.progress.step, *r.validation_loss);
  if (r.validation_accuracy) writer_.scalar("accuracy/validation", r.progress.step, *r.validation_accuracy);
  for (const auto& [name, value] : r.measures) writer_.scalar("measures/" + name, r.progress.step, value);
  for (const nn::NamedTensor& p : model_.named_parameters()) {
    writer_.histogram("weights/" + p.name, r.progress.step, p.tensor.span());
    if (const Tensor gradient = p.tensor.grad(); gradient.defined()) writer_.histogram("gradients/" + p.name, r.progress.step, gradient.span());
  }
}

}  // namespace danlu::app
