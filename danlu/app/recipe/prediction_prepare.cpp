// Raw data to everything that training needs. All is decided in memory first, so that a recipe or data that will not do
// leave no trace and cost no earlier run.
#include <set>

#include "danlu/app/recipe/checks.h"
#include "danlu/app/recipe/commit.h"
#include "danlu/app/recipe/derive.h"
#include "danlu/app/recipe/prediction_pipeline.h"
#include "danlu/app/recipe/split_file.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/version.h"
#include "danlu/data/text/text_preprocess.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/train/distillation_objective.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.prepare";

void check_no_leaks(const Recipe& recipe, const DataSource& source, const data::Split& split) {
  if (recipe.data.split.on_overlap != "drop") return;
  const data::LeakReport leaks = data::check_leaks(source.hashes(), split);
  if (leaks.empty()) return;
  throw InternalError(
      kWhere, fmt::format("{}: {} training samples are in the test split too", recipe.data.source, leaks.train_test));
}

// Groups that can be compared: of two classes, and not as many as there are samples.
void check_groups(const std::string& column, const std::vector<std::string>& values, data::TaskKind task) {
  constexpr size_t kMaxGroups = 50;
  if (task != data::TaskKind::binary) throw ConfigError(kWhere, "evaluate.demographic is for two classes; the target of this recipe has more, or is a number or labels");
  const size_t groups = std::set<std::string>(values.begin(), values.end()).size();
  if (groups > kMaxGroups || (groups > 2 && groups * 2 > values.size())) {
    throw ConfigError(kWhere, fmt::format("evaluate.demographic: \"{}\" has {} different values in {} test samples; expected a column of a few groups", column, groups,
                                          values.size()));
  }
}

infer::BundleConfig bundle_config(const Recipe& recipe, const DataSource& source, const FittedData& data, Json model) {
  infer::BundleConfig config;
  config.name = recipe.name;
  config.task = data.task;
  config.input = source.kind();
  config.input_shape = data.input_shape;
  config.class_names = data.class_names;
  config.heads = data.heads;
  config.target = fmt::format("{}", fmt::join(recipe.data.table.target_columns(), ", "));
  config.notice = recipe.notice;
  config.missing = {recipe.data.csv.missing, recipe.data.csv.quoted_missing};
  config.model = std::move(model);
  config.training = {{"danlu", version()},
                     {"git_commit", git_commit()},
                     {"seed", recipe.seed},
                     {"data_hash", source.content_hash().hex()},
                     {"train_samples", data.training_samples.size()}};
  return config;
}

std::string summary_of(const Plan& plan, const Recipe& recipe, nn::Module& model) {
  const auto samples = static_cast<int64_t>(plan.data.training_samples.size());
  const int64_t updates = (samples + recipe.train.batch_size - 1) / recipe.train.batch_size;
  std::string text =
      fmt::format("{}: {} to train, {} to validate, {} to test; {} updates an epoch\n", data::name_of(plan.data.task),
                  samples, plan.split.validation.size(), plan.split.test.size(), updates);
  for (const auto& [key, reason] : recipe.reasons) {
    if (key != "data.columns") text += fmt::format("{}: {}\n", key, reason);
  }
  return text + "\n" + models::summary(model, plan.data.input_shape);
}

}  // namespace

// What training would refuse; of the teacher, if there is one, what run.json keeps, and else null.
Json PredictionPipeline::check_objective(const Plan& plan) const {
  const train::DistillOptions& distill = recipe_.train.objective.distill;
  if (distill.teacher.empty()) {
    make_objective(plan.data);
    return nullptr;
  }
  if (plan.data.task == data::TaskKind::multitask) throw ConfigError(kWhere, "train.distill: got a teacher for several targets; expected one target of classes");
  train::DistillationObjective(label_objective(plan.data), Tensor::zeros({0, std::ssize(plan.data.class_names)}), distill);
  const Teacher teacher = find_teacher(plan.data);
  teacher.require_unseen(plan.split.test, source_->content_hash().hex(), source_->size());
  return {{"run", distill.teacher}, {"weights_hash", teacher.weights_hash()}};
}

const Plan& PredictionPipeline::plan() {
  if (plan_) return *plan_;
  Plan plan;
  plan.split = data::split(
      {.size = source().size(), .labels = source().strata(), .hashes = source().hashes(), .given = source().given()},
      recipe_.data.split);
  plan.quality = source().report(plan.split);
  report("data", plan.quality.text, plan.quality.json);
  check_no_leaks(recipe_, source(), plan.split);
  if (!plan.quality.passed && recipe_.data.strict) {
    throw DataError(
        kWhere, fmt::format("{}: the data quality report has failures, and data.strict is set", recipe_.data.source));
  }
  plan.data = source().fit(plan.split.train);
  if (plan.data.task == data::TaskKind::multilabel) derive_label_rate(recipe_, std::ssize(plan.data.class_names));
  for (const std::string& column : recipe_.evaluate.demographic) check_groups(column, source().values_of(column, plan.split.test), plan.data.task);
  check_against_data(recipe_, plan.data, plan.split);
  if (recipe_.decision.is_fitted() && recipe_.decision.folds > 0) decision_folds(plan.split.train);  // throws before, not after, the training
  if (has_deadline() && recipe_.decision.is_fitted() && recipe_.decision.folds > 0 && plan.split.validation.empty()) {
    throw ConfigError(kWhere, "--deadline leaves no time for decision.folds after the training, and there is no validation split to decide by in their place; set data.split.validation above 0, or give no deadline");
  }
  if (recipe_.evaluate.kfold.folds > 0) make_folds(recipe_.evaluate.kfold);  // throws before, not after, the training
  recipe_.reasons["data.columns"] = plan.data.reasons;

  plan.config = bundle_config(recipe_, source(), plan.data, model_for(plan.data).resolved);
  const auto model = model_for(plan.data).make(plan.data.input_shape, plan.data.outputs());
  std::optional<data::TextPreprocess> text;
  if (plan.data.vocabulary > 0) text = data::TextPreprocess::from_json(plan.data.preprocess, "preprocess.json");
  plan_weights(*model, text ? text->tokenizer() : nullptr);
  const Json teacher = check_objective(plan);  // throws before, not after, everything is written
  if (!recipe_.compress.to.empty()) check_compression(*model, plan);
  if (!teacher.is_null()) plan.config.training["teacher"] = teacher;
  plan.parameters = model->num_parameters();
  plan.summary = summary_of(plan, recipe_, *model);
  plan_ = std::move(plan);
  report("plan", plan_->summary,
         {{"task", data::name_of(plan_->data.task)},
          {"train", plan_->data.training_samples.size()},
          {"validation", plan_->split.validation.size()},
          {"test", plan_->split.test.size()},
          {"parameters", plan_->parameters},
          {"model", plan_->config.model}});
  return *plan_;
}

void PredictionPipeline::prepare() {
  begin("prepare");
  const Plan& decided = plan();
  directory_.start_fresh();
  guarded([&] {
    start_directory({{"data_hash", decided.config.training["data_hash"]},
                     {"samples", source().size()},
                     {"parameters", decided.parameters}});
    write_json(directory_.file("data_report.json"), decided.quality.json);
    write_file_atomic(directory_.file("data_report.txt"), decided.quality.text);
    write_json(directory_.file("split.json"), to_json(decided.split));
    write_json(directory_.file("preprocess.json"), decided.data.preprocess);
    write_json(directory_.file("config.json"), decided.config.to_json());
    write_transfer();
    directory_.update({{"status", "prepared"}});
  });
}

}  // namespace danlu::app
