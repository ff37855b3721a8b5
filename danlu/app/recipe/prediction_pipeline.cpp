#include "danlu/app/recipe/prediction_pipeline.h"

#include "danlu/app/recipe/derive.h"
#include "danlu/app/recipe/split_file.h"
#include "danlu/app/recipe/transfer_source.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/ops/random.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/train/distillation_objective.h"
#include "danlu/learn/train/heads_objective.h"
#include "danlu/learn/train/pseudo_label_objective.h"

namespace danlu::app {
PredictionPipeline::PredictionPipeline(Recipe recipe, RunDirectory directory, Observer observer)
    : Pipeline(std::move(recipe), std::move(directory), std::move(observer)) {
  derive_from_transfer(recipe_, directory_.path().parent_path());
  source_ = open_source(recipe_);
  derive_choices(recipe_, source_->kind(), source_->size(), !source_->strata().empty());
}

PredictionPipeline::PredictionPipeline(RunDirectory directory, Observer observer)
    : Pipeline(reopen_recipe(directory.file("resolved.yaml")), directory, std::move(observer)) {}

// A run goes on only with the data that it was prepared with.
DataSource& PredictionPipeline::source() {
  if (source_) return *source_;
  auto source = open_source(recipe_);
  require_unchanged(source->content_hash().hex());
  source_ = std::move(source);
  return *source_;
}

const data::Split& PredictionPipeline::split() {
  if (plan_) return plan_->split;
  if (!split_) split_ = read_split(directory_.file("split.json"), source().size());
  return *split_;
}

const FittedData& PredictionPipeline::fitted() {
  if (plan_) return plan_->data;
  if (!fitted_) fitted_ = source().fit(split().train);
  return *fitted_;
}

models::ModelConfig PredictionPipeline::model_for(const FittedData& data) const {
  if (data.vocabulary == 0) return models::parse_model(recipe_.model);
  Json model = recipe_.model.is_string() ? Json{{"type", recipe_.model}} : recipe_.model;
  if (model.value("vocab_size", int64_t{0}) == 0) model["vocab_size"] = data.vocabulary;
  return models::parse_model(model);
}

std::unique_ptr<nn::Module> PredictionPipeline::make_model(const FittedData& data, uint64_t seed) {
  manual_seed(seed);
  auto model = model_for(data).make(data.input_shape, data.outputs());
  for (nn::NamedTensor& buffer : model->named_buffers()) {
    for (const nn::NamedTensor& known : data.buffers) {
      if (known.name == buffer.name) buffer.tensor.copy_from(known.tensor);
    }
  }
  put_transferred(*model);
  return model;
}

train::PredictionObjective PredictionPipeline::label_objective(const FittedData& data) const {
  const train::ObjectiveOptions& options = recipe_.train.objective;
  if (!data::has_classes(data.task) || options.class_weights == "none") return train::PredictionObjective(data.task, options);
  return train::PredictionObjective(data.task, options, source_->labels(data.training_samples, data.preprocess));
}

Teacher PredictionPipeline::find_teacher(const FittedData& data) const {
  return Teacher(recipe_.train.objective.distill.teacher, directory_, source_->kind(), data.class_names);
}

std::unique_ptr<train::Objective> PredictionPipeline::make_objective(const FittedData& data) const {
  const train::ObjectiveOptions& options = recipe_.train.objective;
  if (data.task == data::TaskKind::multitask) return std::make_unique<train::HeadsObjective>(data.heads, options);
  if (options.pseudo_labels.weight > 0) return std::make_unique<train::PseudoLabelObjective>(label_objective(data), options.pseudo_labels);
  if (options.distill.teacher.empty()) return std::make_unique<train::PredictionObjective>(label_objective(data));
  Teacher teacher = find_teacher(data);
  const std::string known = read_json(directory_.file("config.json")).value("training", Json::object()).value("teacher", Json::object()).value("weights_hash", "");
  if (teacher.weights_hash() != known) {
    throw DataError("app.distill", fmt::format("train.distill.teacher: {} has changed since {} was prepared; prepare it again", options.distill.teacher, directory_.path().string()));
  }
  return std::make_unique<train::DistillationObjective>(label_objective(data), teacher.probabilities(*source_, data.training_samples), options.distill);
}

}  // namespace danlu::app
