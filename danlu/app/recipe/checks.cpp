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
  if (recipe.data.text.column.empty() || recipe.model.is_null() || recipe.is_language() || recipe.is_recommendation() || recipe.is_forecast() || recipe.is_faq()) return;
  const std::string type = models::parse_model(recipe.model).type;
  if (models::reads_text(type)) return;
  fail(locate, "model", fmt::format("got {}; expected bag_of_ngrams, bag_of_tokens, rnn, lstm, gru or encoder, because data.text.column names texts", type));
}

void check_series_are_named(const Recipe& recipe, const Locate& locate) {
  if (recipe.is_forecast()) {
    if (!recipe.data.table.target.empty()) fail(locate, "data.target", "got one beside data.series.values; expected one of them: a column to predict for each row, or series to foretell");
  } else if (write_options(recipe.data.series) != write_options(data::SeriesOptions())) {
    fail(locate, "data.series.values", "is missing; expected the columns that are to be foretold");
  }
}

void check_text_sections(const Recipe& recipe, const Locate& locate) {
  if (!recipe.reads_ngrams()) {
    if (recipe.gives("ngrams")) fail(locate, "ngrams", "are for the model bag_of_ngrams; this recipe has another");
    return;
  }
  data::check_ngrams(recipe.ngrams, locate);
  if (recipe.gives("tokenizer")) fail(locate, "tokenizer", "is for models that read tokens; bag_of_ngrams has the section ngrams in its place");
  if (!recipe.transfer.from.empty()) fail(locate, "transfer.from", "got one for the model bag_of_ngrams; expected none: its weights belong to its own n-grams");
}

// Margins are no probabilities until they are scaled.
void check_margins_are_calibrated(const Recipe& recipe, const Locate& locate) {
  if (recipe.train.objective.classification_loss == "squared_hinge" && recipe.gives("decision.calibrate") && recipe.decision.calibrate == "none") {
    fail(locate, "decision.calibrate", "got none for train.classification_loss: squared_hinge; expected always or auto: margins are no probabilities");
  }
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
    case data::TaskKind::multitask:   // each head has a task of its own
    case data::TaskKind::clustering:  // ClusterPipeline
      break;
  }
  throw InternalError(kWhere, "unknown task");
}

// The names that evaluation gives to what it measures. Throws ConfigError for a metric that the task does not have.
std::vector<std::string> measures_of(const Recipe& recipe, const FittedData& data) {
  const std::vector<std::string>& chosen = recipe.evaluate.report.metrics;
  if (data.task == data::TaskKind::multitask) {
    if (!chosen.empty()) throw ConfigError(kWhere, fmt::format("evaluate.metrics: got {}; expected none: each of several targets has the usual measures of its kind", fmt::join(chosen, ", ")));
    std::vector<std::string> measures;
    for (const data::Head& head : data.heads) {
      for (const std::string& metric : eval::default_metrics(eval_task(head.task))) measures.push_back(head.name + "." + metric);
    }
    return measures;
  }
  for (const std::string& metric : chosen) eval::find_metric(metric, eval_task(data.task));
  std::vector<std::string> measures = decision_metric_names(recipe.decision);
  for (const eval::Metric& metric : eval::all_metrics()) {
    if (metric.has(eval_task(data.task))) measures.emplace_back(metric.name);
  }
  return measures;
}

}  // namespace

void check_recipe(const Recipe& recipe, const Locate& locate) {
  check_name_is_a_word(recipe, locate);
  check_source_is_given(recipe, locate);
  check_types_exist(recipe, locate);
  check_model_reads_text(recipe, locate);
  check_series_are_named(recipe, locate);
  check_text_sections(recipe, locate);
  check_margins_are_calibrated(recipe, locate);
  check_early_stop_has_validation(recipe, locate);
  check_split_leaves_training_data(recipe, locate);
  check_kfold_divides(recipe, locate);
  check_decision(recipe.decision, locate);
  check_gates(recipe.evaluate.gates, locate);
}

void check_against_data(const Recipe& recipe, const FittedData& data, const data::Split& split) {
  const data::TaskKind task = data.task;
  train::check(recipe.train);
  check_gates_are_measured(recipe.evaluate.gates, measures_of(recipe, data));
  check_decision_fits(recipe.decision, task, data.class_names, !split.validation.empty());
  if (split.test.empty()) {
    throw ConfigError(kWhere,
                      "the test split is empty, so that nothing could be measured; set data.split.test above 0");
  }
  if (recipe.train.early_stop > 0 && split.validation.empty()) {
    throw ConfigError(kWhere,
                      "train.early_stop needs a validation split, which is empty; set data.split.validation above 0");
  }
  if (!data::has_classes(task)) {
    const char* target = task == data::TaskKind::regression ? "is a number" : task == data::TaskKind::multilabel ? "is any number of labels" : "is one of several";
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
