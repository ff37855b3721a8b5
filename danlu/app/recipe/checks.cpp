#include "danlu/app/recipe/checks.h"

#include <algorithm>
#include <functional>

#include "danlu/app/recipe/gates.h"
#include "danlu/app/recipe/overrides.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/compress/target.h"
#include "danlu/eval/metrics.h"
#include "danlu/learn/models/model.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.recipe";
constexpr size_t kMaxNameBytes = 100;

// `key` says where in the file, `message` what is wrong.
[[noreturn]] void fail(const Locate& locate, const std::string& key, const std::string& message) {
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
  if (recipe.data.text.column.empty() || recipe.model.is_null() || recipe.kind() != RecipeKind::prediction) return;
  const std::string type = models::parse_model(recipe.model).type;
  if (models::reads_text(type)) return;
  fail(locate, "model", fmt::format("got {}; expected bag_of_ngrams, bag_of_tokens, rnn, lstm, gru or encoder, because data.text.column names texts", type));
}

void check_series_are_named(const Recipe& recipe, const Locate& locate) {
  if (recipe.kind() == RecipeKind::forecast) {
    if (!recipe.data.table.target.empty()) fail(locate, "data.target", "got one beside data.series.values; expected one of them: a column to predict for each row, or series to foretell");
  } else if (recipe.data.series.values.empty() && write_options(recipe.data.series) != write_options(data::SeriesOptions())) {
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

// A teacher that has seen what is held out here would give it away.
void check_distillation(const Recipe& recipe, const Locate& locate) {
  const train::DistillOptions& distill = recipe.train.objective.distill;
  if (distill.teacher.empty()) {
    if (write_options(distill) != write_options(train::DistillOptions())) fail(locate, "train.distill.teacher", "is missing; expected the run to learn from");
    return;
  }
  if (recipe.train.objective.pseudo_labels.weight > 0) {
    fail(locate, "train.pseudo_labels.weight", "got a weight beside train.distill; expected 0: a teacher has an answer to the rows that it is asked, not to those without a label");
  }
  if (recipe.evaluate.kfold.folds > 0) fail(locate, "evaluate.kfold", "got folds beside train.distill; expected none: the teacher has learnt from samples that the folds test on");
  if (recipe.decision.is_fitted() && recipe.decision.folds > 0) fail(locate, "decision.folds", "got folds beside train.distill; expected 0: the teacher has learnt from samples that the folds leave out");
}

// Before a training, not after it.
void check_compression(const Recipe& recipe, const Locate& locate) {
  const CompressSection& section = recipe.compress;
  if (section.to.empty()) {
    if (write_options(section) != write_options(CompressSection())) fail(locate, "compress.to", "is missing; expected what the model is to become: int8, or q8 for a language model");
    return;
  }
  const bool is_language = recipe.kind() == RecipeKind::language;
  if (is_language && section.options.epochs) fail(locate, "compress.epochs", "got one for a language model; expected none: its weights are rounded, and nothing learns again");
  const std::string place = locate("compress.to");
  if (compress::parse_target(section.to, place.empty() ? "compress.to" : place + ": compress.to").is_groups() == is_language) return;
  fail(locate, "compress.to", fmt::format("got {}; expected {}", section.to, is_language ? "q8 or q4 for a language model" : "int8, sparse=SHARE, N:M or channels=SHARE: q8 and q4 are for language models"));
}

// What reads a recipe: its kind, and of predictions what they are told from.
enum Reader : unsigned {
  kRows = 1 << 0,
  kImages = 1 << 1,
  kTokens = 1 << 2,
  kNgrams = 1 << 3,
  kLanguage = 1 << 4,
  kPictures = 1 << 5,
  kClusters = 1 << 6,
  kSeries = 1 << 7,
  kInteractions = 1 << 8,
  kFaq = 1 << 9,
  kPretraining = 1 << 10,
  kImageTables = 1 << 11,
};
constexpr unsigned kAll = (1 << 12) - 1, kTexts = kTokens | kNgrams, kPrediction = kRows | kImages | kImageTables | kTexts;
constexpr const char* kReaders[] = {"tables", "images with classes", "texts of tokens", "texts of n-grams", "language models", "gan and autoencoder", "kmeans", "series", "recommenders", "FAQs", "pre-training", "images that a table names"};

// One of them, or, while there is no telling what predictions are told from, all that it may be.
unsigned readers_of(const Recipe& recipe) {
  switch (recipe.kind()) {
    case RecipeKind::language: return kLanguage;
    case RecipeKind::images: return kPictures;
    case RecipeKind::clusters: return kClusters;
    case RecipeKind::forecast: return kSeries;
    case RecipeKind::recommendation: return kInteractions;
    case RecipeKind::faq: return kFaq;
    case RecipeKind::pretraining: return kPretraining;
    case RecipeKind::prediction: break;
  }
  std::error_code error;
  if (!fs::exists(recipe.data.source, error)) return kPrediction;  // whoever opens the source says that there is none
  if (fs::is_directory(recipe.data.source)) return kImages;
  if (!recipe.data.image.column.empty()) return kImageTables;
  return recipe.reads_ngrams() ? kNgrams : recipe.reads_text() ? kTokens : kRows;
}

// What not every recipe reads. The longest of these that a key lies within decides; what lies within none is for all.
struct Section {
  const char* key;
  unsigned readers;
  const char* instead = "";  // where others find the like
};
constexpr Section kSections[] = {
    {"data.target", kPrediction | kClusters},  // which says what to do with that column
    {"data.targets", kPrediction},
    {"data.labels", kPrediction},
    {"data.label_separator", kPrediction},
    {"data.label_min_rows", kPrediction},
    {"data.task", kPrediction},
    {"data.classes", kPrediction | kPictures},
    {"data.class_names", kPrediction},
    {"data.target_scale", kPrediction},
    {"data.columns", kPrediction | kClusters},
    {"data.all_columns", kPrediction | kClusters},
    {"data.csv", kAll & ~(kImages | kLanguage | kPictures)},
    {"data.image", kImages | kImageTables | kPictures | kClusters},
    {"data.image.column", kImageTables},
    {"data.text", kLanguage},
    {"data.text.column", kTexts | kPretraining},
    {"data.text.length", kTexts | kFaq | kPretraining},
    {"data.text.token_dropout", kTexts | kFaq},
    {"data.text.mask_rate", kPretraining},
    {"data.interactions", kInteractions},
    {"data.series", kSeries},
    {"data.faq", kFaq},
    {"data.augment", kImages | kImageTables | kPictures},
    {"data.split.method", kAll & ~(kSeries | kInteractions)},
    {"data.split.seed", kAll & ~(kSeries | kInteractions)},
    {"data.split.on_overlap", kPrediction | kPictures | kClusters | kPretraining},
    {"data.split.column", kPrediction | kClusters | kPretraining},
    {"data.report", kRows | kTexts | kClusters | kPretraining},
    {"data.strict", kPrediction | kClusters | kPretraining},
    {"tokenizer", kTokens | kLanguage | kFaq | kPretraining},
    {"tokenizer.chat_template", kLanguage},
    {"ngrams", kNgrams},
    {"transfer", kAll & ~kClusters},
    {"train", kAll & ~kClusters, "its options are model.restarts, model.iterations and model.tolerance"},
    {"train.tokens", kLanguage},
    {"train.label_smoothing", kPrediction},
    {"train.class_weights", kPrediction},
    {"train.classification_loss", kPrediction},
    {"train.regression_loss", kPrediction | kSeries},
    {"train.task_weighting", kPrediction},
    {"train.pseudo_labels", kRows | kTexts},
    {"train.adversarial_loss", kPictures},
    {"train.generator_lr_factor", kPictures},
    {"train.ranking_loss", kInteractions},
    {"train.negatives", kInteractions},
    {"train.temperature", kFaq},
    {"train.distill", kPrediction},
    {"decision", kPrediction},
    {"dialogue", kFaq},
    {"compress", kPrediction | kLanguage},
    {"evaluate.metrics", kPrediction},
    {"evaluate.bootstrap", kAll & ~(kLanguage | kPictures | kPretraining)},
    {"evaluate.kfold", kPrediction},
    {"evaluate.sample", kLanguage},
    {"evaluate.demographic", kPrediction},
    {"evaluate.top", kInteractions},
    {"evaluate.explain_seconds", kPrediction | kSeries},
};

const Section* section_of(const std::string& key) {
  const Section* found = nullptr;
  for (const Section& section : kSections) {
    const std::string_view name = section.key;
    const bool within = key.starts_with(name) && (key.size() == name.size() || key[name.size()] == '.');
    if (within && (found == nullptr || name.size() > std::string_view(found->key).size())) found = &section;
  }
  return found;
}

// Every option, said in one way.
Json settings_of(Recipe recipe) {
  recipe.train.optimizer = optim::parse_optimizer(recipe.train.optimizer).resolved;
  recipe.train.schedule = optim::parse_schedule(recipe.train.schedule).resolved;
  return write_options(std::move(recipe));
}

// Calls with the path and the value of each key whose value is not the usual one; of a key that is not usual, without looking into it.
void for_each_changed(const Json& now, const Json& usual, const std::string& path, const std::function<void(const std::string&, const Json&)>& on_key) {
  if (now == usual) return;
  if (!now.is_object() || !usual.is_object()) return on_key(path, now);
  for (const auto& [key, value] : now.items()) for_each_changed(value, usual.value(key, Json()), path.empty() ? key : path + "." + key, on_key);
}

std::string names_of(unsigned readers) {
  std::vector<std::string> names;
  for (size_t i = 0; i < std::size(kReaders); ++i) {
    if ((readers >> i & 1) != 0) names.emplace_back(kReaders[i]);
  }
  return fmt::format("{}", fmt::join(names, ", "));
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
    case data::TaskKind::generation:  // ImagePipeline
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
  check_compression(recipe, locate);
  check_distillation(recipe, locate);
}

void check_everything_is_read(const Recipe& recipe, const Locate& locate) {
  const unsigned readers = readers_of(recipe);
  for_each_changed(settings_of(recipe), settings_of({}), "", [&](const std::string& key, const Json& value) {
    const Section* section = section_of(key);
    if (section == nullptr || (section->readers & readers) != 0) return;
    const std::string instead = *section->instead != 0 ? section->instead : fmt::format("{} is for {}", section->key, names_of(section->readers));
    const Json* given = find_value(recipe.given, key);  // as it was written, without the defaults of what it lies in
    fail(locate, key, fmt::format("got {}; expected none: a recipe of {} does not read it; {}", to_line(given != nullptr ? *given : value), names_of(readers), instead));
  });
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
  if (recipe.train.objective.task_weighting != "fixed" && task != data::TaskKind::multitask) {
    throw ConfigError(kWhere, "train.task_weighting: got uncertainty; expected fixed: the target of this recipe is one, with nothing to weigh it against; several are named by data.targets");
  }
  if (!data::has_classes(task)) {
    const char* target = task == data::TaskKind::regression ? "is a number" : task == data::TaskKind::multilabel ? "is any number of labels" : "is one of several";
    if (recipe.evaluate.kfold.folds > 0) {
      throw ConfigError(kWhere, fmt::format("evaluate.kfold is stratified by class; the target of this recipe {}", target));
    }
    if (recipe.train.objective.pseudo_labels.weight > 0) {
      throw ConfigError(kWhere, fmt::format("train.pseudo_labels: got the weight {}; expected 0: pseudo-labels are classes, and the target of this recipe {}",
                                            recipe.train.objective.pseudo_labels.weight, target));
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
