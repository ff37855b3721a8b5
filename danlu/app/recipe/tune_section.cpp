#include "danlu/app/recipe/tune_section.h"

#include <algorithm>

#include "danlu/app/recipe/overrides.h"
#include "danlu/base/duration.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/learn/tune/space.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.recipe";

// What the loss is of, or what it is counted in: more clusters, for example, leave less of a distance whatever they are worth.
constexpr const char* kUnitsOfLoss[] = {"train.label_smoothing", "train.class_weights", "train.classification_loss", "train.regression_loss", "train.ranking_loss", "train.negatives", "train.temperature",
                                        "data.targets", "data.target_scale", "data.series.values", "data.series.horizon", "data.text.mask_rate", "data.text.clean", "data.text.split_by", "data.text.isolate_documents", "tokenizer", "model.clusters", "model.most_clusters"};

[[noreturn]] void fail(const Locate& locate, const std::string& key_path, const std::string& message) {
  const std::string place = locate(key_path);
  throw ConfigError(kWhere, fmt::format("{}{}: {}", place.empty() ? "" : place + ": ", key_path, message));
}

bool is_within(const std::string& key, const std::string& group) { return key == group || key.starts_with(group + "."); }

void check_key_exists(const Recipe& recipe, const std::string& key, const std::string& section, const Locate& locate) {
  Recipe copy = recipe;
  std::vector<std::string> known;
  for (const RecipeKey& there : recipe_keys([&](OptionVisitor& v) { copy.describe(v); })) {
    if (is_within(there.path, "tune")) continue;
    if (there.path == key || (there.free_form && is_within(key, there.path))) return;
    known.push_back(there.path);
  }
  const std::string hint = did_you_mean(key, known);
  fail(locate, section + "." + key, fmt::format("unknown key \"{}\"{}", key, hint.empty() ? "; expected one of the recipe, train.batch_size for example" : hint));
}

// Trials whose validation splits or losses are not the same cannot be compared.
void check_key_can_vary(const Recipe& recipe, const std::string& key, const Locate& locate) {
  const std::string path = "tune.space." + key;
  for (const char* fixed : {"name", "threads", "data.source", "data.target", "data.split", "train.monitor", "evaluate"}) {
    if (is_within(key, fixed)) fail(locate, path, fmt::format("cannot be searched: {} is what trials are compared by, or nothing to them", fixed));
  }
  if (tuned_metric(recipe) != "loss") return;
  for (const char* unit : kUnitsOfLoss) {
    if (!is_within(key, unit)) continue;
    fail(locate, path, fmt::format("cannot be searched by the loss, whose meaning it changes; {}", recipe.kind() == RecipeKind::prediction ? "set tune.metric: accuracy, or leave it out" : "leave it out"));
  }
}

// A value in its place, with the line of the space if the recipe would refuse it there.
void check_value(const Recipe& recipe, const std::string& key, const Json& value, const std::string& section, const Locate& locate) {
  try {
    vary_recipe(recipe, {{key, value}});
  } catch (const ConfigError& error) {
    fail(locate, section + "." + key, fmt::format("{} does not do: {}", to_line(value), error.message()));
  }
}

}  // namespace

std::string tuned_metric(const Recipe& recipe) { return recipe.tune.metric == "auto" ? recipe.train.monitor : recipe.tune.metric; }

bool tune_maximizes(const Recipe& recipe) {
  if (recipe.tune.direction != "auto") return recipe.tune.direction == "maximize";
  return tuned_metric(recipe) == "accuracy";
}

void check_tune_section(const Recipe& recipe, const Locate& locate) {
  if (!recipe.tune.time.empty()) parse_duration(recipe.tune.time, "tune.time");
  if (!recipe.tune.trial.is_object()) fail(locate, "tune.trial", fmt::format("got {}; expected a group like {{train.epochs: 3}}", to_line(recipe.tune.trial)));
  for (const auto& [key, value] : recipe.tune.trial.items()) {
    check_key_exists(recipe, key, "tune.trial", locate);
    check_value(recipe, key, value, "tune.trial", locate);
  }
  for (const tune::Parameter& parameter : tune::parse_space(recipe.tune.space, locate, "tune.space")) {
    check_key_exists(recipe, parameter.name(), "tune.space", locate);
    check_key_can_vary(recipe, parameter.name(), locate);
    if (recipe.tune.trial.contains(parameter.name())) fail(locate, "tune.trial." + parameter.name(), "is in tune.space too; expected it in one of them");
    if (parameter.kind() == tune::Parameter::Kind::choice) {
      for (const Json& value : parameter.choices()) check_value(recipe, parameter.name(), value, "tune.space", locate);
    } else {
      for (const double value : {parameter.low(), parameter.high()}) check_value(recipe, parameter.name(), parameter.json(value), "tune.space", locate);
    }
  }
}

void check_can_tune(const Recipe& recipe) {
  const tune::TuneOptions& options = recipe.tune;
  if (tune::parse_space(options.space).empty()) {
    throw ConfigError(kWhere, "tune.space is empty; expected keys to vary, for example tune: {space: {train.optimizer.lr: {log_uniform: [1e-4, 1e-1]}}}");
  }
  if (options.method != "grid" && !options.trials && options.time.empty()) {
    throw ConfigError(kWhere, "nothing ends the search; set tune.trials or tune.time, or say --trials 20 or --time 10m");
  }
}

}  // namespace danlu::app
