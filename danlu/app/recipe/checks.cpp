#include "danlu/app/recipe/checks.h"

#include <algorithm>

#include "danlu/app/recipe/gates.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/eval/metrics.h"
#include "danlu/learn/models/model.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.recipe";
constexpr size_t kMaxNameBytes = 100;

// `key` says where in the file, `message` what is wrong.
[[noreturn]] void fail(const Locate& locate, const char* key, const std::string& message) {
  const std::string place = locate(key);
  throw ConfigError(kWhere, fmt::format("{}{}: {}", place.empty() ? "" : place + ": ", key, message));
}

// It becomes a directory and a word in requests.
void check_name_is_a_word(const Recipe& recipe, const Locate& locate) {
  const std::string& name = recipe.name;
  const bool plain =
      std::none_of(name.begin(), name.end(), [](unsigned char c) { return c == '/' || c <= ' ' || c == 127; });
  if (name.empty() || name.front() == '.' || name.size() > kMaxNameBytes || !plain) {
    fail(locate, "name",
         fmt::format("got \"{}\"; expected a word without slashes and spaces: it names the run directory", name));
  }
}

void check_source_is_given(const Recipe& recipe, const Locate& locate) {
  if (recipe.data.source.empty()) {
    fail(locate, "data.source", "is missing; expected a table file or a directory of images");
  }
}

void check_types_exist(const Recipe& recipe, const Locate& locate) {
  optim::parse_optimizer(recipe.train.optimizer, locate, "train.optimizer");
  optim::parse_schedule(recipe.train.schedule, locate, "train.schedule");
  if (!recipe.model.is_null()) models::parse_model(recipe.model, locate, "model");
}

void check_model_reads_text(const Recipe& recipe, const Locate& locate) {
  if (recipe.data.text.column.empty() || recipe.model.is_null() || recipe.is_language() || recipe.is_recommendation()) return;
  const std::string type = models::parse_model(recipe.model).type;
  if (models::reads_text(type)) return;
  fail(locate, "model", fmt::format("got {}; expected rnn, lstm, gru or encoder, because data.text.column names texts", type));
}

void check_early_stop_has_validation(const Recipe& recipe, const Locate& locate) {
  if (recipe.train.early_stop > 0 && recipe.data.split.validation == 0) {
    fail(locate, "train.early_stop", "needs a validation split to watch; set data.split.validation above 0");
  }
}

void check_split_leaves_training_data(const Recipe& recipe, const Locate& locate) {
  const data::SplitOptions& split = recipe.data.split;
  if (split.validation + split.test >= 1) {
    fail(locate, "data.split",
         fmt::format("validation {} and test {} leave nothing to train on", split.validation, split.test));
  }
}

void check_kfold_divides(const Recipe& recipe, const Locate& locate) {
  if (recipe.evaluate.kfold.folds == 1) {
    fail(locate, "evaluate.kfold.folds", "got 1; expected at least 2, or 0 for no cross-validation");
  }
}

eval::Task eval_task(data::TaskKind task) {
  switch (task) {
    case data::TaskKind::binary:
      return eval::Task::binary;
    case data::TaskKind::multiclass:
      return eval::Task::multiclass;
    case data::TaskKind::multilabel:
      return eval::Task::multilabel;
    case data::TaskKind::regression:
      return eval::Task::regression;
    case data::TaskKind::clustering:
      break;  // ClusterPipeline
  }
  throw InternalError(kWhere, "unknown task");
}

}  // namespace

void check_recipe(const Recipe& recipe, const Locate& locate) {
  check_name_is_a_word(recipe, locate);
  check_source_is_given(recipe, locate);
  check_types_exist(recipe, locate);
  check_model_reads_text(recipe, locate);
  check_early_stop_has_validation(recipe, locate);
  check_split_leaves_training_data(recipe, locate);
  check_kfold_divides(recipe, locate);
  check_decision(recipe.decision, locate);
  check_gates(recipe.evaluate.gates, locate);
}

void check_against_data(const Recipe& recipe, data::TaskKind task, const std::vector<std::string>& class_names, const data::Split& split) {
  train::check(recipe.train);
  for (const std::string& metric : recipe.evaluate.report.metrics) eval::find_metric(metric, eval_task(task));
  std::vector<std::string> measures = decision_metric_names(recipe.decision);
  for (const eval::Metric& metric : eval::all_metrics()) {
    if (metric.has(eval_task(task))) measures.emplace_back(metric.name);
  }
  check_gates_are_measured(recipe.evaluate.gates, measures);
  check_decision_fits(recipe.decision, task, class_names, !split.validation.empty());
  if (split.test.empty()) {
    throw ConfigError(kWhere,
                      "the test split is empty, so that nothing could be measured; set data.split.test above 0");
  }
  if (recipe.train.early_stop > 0 && split.validation.empty()) {
    throw ConfigError(kWhere,
                      "train.early_stop needs a validation split, which is empty; set data.split.validation above 0");
  }
  if (!data::has_classes(task)) {
    const char* target = task == data::TaskKind::regression ? "is a number" : "is any number of labels";
    if (recipe.evaluate.kfold.folds > 0) {
      throw ConfigError(kWhere, fmt::format("evaluate.kfold is stratified by class; the target of this recipe {}", target));
    }
    if (recipe.train.objective.class_weights != "none") {
      throw ConfigError(kWhere, fmt::format("train.class_weights: got balanced; expected none: the target of this recipe {}", target));
    }
    if (recipe.train.monitor == "accuracy") {
      throw ConfigError(kWhere, fmt::format("train.monitor: got accuracy; expected loss: the target of this recipe {}", target));
    }
  }
}

}  // namespace danlu::app
