// From outputs to answers: what the section `decision` asks for, from samples that the weights were not fitted to.
#include "danlu/app/recipe/prediction_pipeline.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/log.h"
#include "danlu/data/dataset/kfold.h"
#include "danlu/data/dataset/loader.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.decision";
constexpr int64_t kEvaluationBatch = 256;

}  // namespace

// A fresh model on some samples; its raw outputs for others.
Tensor PredictionPipeline::train_and_predict(const FittedData& data, std::span<const int64_t> validation, std::span<const int64_t> test, uint64_t seed) {
  const auto model = make_model(data, seed);
  const data::LoaderOptions evaluation{.batch_size = kEvaluationBatch};
  data::DataLoader training(*data.dataset, data.training_samples, {.batch_size = recipe_.train.batch_size}, seed, data::Phase::train);
  data::DataLoader tested(*data.dataset, {test.begin(), test.end()}, evaluation, seed, data::Phase::evaluate);
  std::optional<data::DataLoader> watched;
  if (!validation.empty()) {
    watched.emplace(*data.dataset, std::vector<int64_t>(validation.begin(), validation.end()), evaluation, seed, data::Phase::evaluate);
  }
  const auto objective = make_objective(data);
  train::Callbacks callbacks;
  callbacks.stop_requested = observer().training.stop_requested;
  train::Trainer(*model, *objective, recipe_.train).fit(training, watched ? &*watched : nullptr, {}, callbacks);
  if (observer().stop_requested()) throw Error(kWhere, "stopped on request while folds were trained");
  return train::predict_all(*model, tested);
}

// Folds of the samples of the training split, as positions among them.
std::vector<data::Fold> PredictionPipeline::decision_folds(std::span<const int64_t> all) {
  std::vector<int64_t> strata;
  std::vector<Hash128> hashes;
  for (const int64_t i : all) {
    strata.push_back(source().strata()[static_cast<size_t>(i)]);
    hashes.push_back(source().hashes()[static_cast<size_t>(i)]);
  }
  return data::stratified_kfold(strata, recipe_.decision.folds, static_cast<uint64_t>(recipe_.seed), hashes);
}

// Outputs for every sample of the training split, each by a model that has not seen it.
PredictionPipeline::HeldOut PredictionPipeline::predict_left_out(const std::vector<std::string>& class_names) {
  const std::vector<int64_t>& all = split().train;
  HeldOut held_out;
  std::vector<Tensor> outputs;
  int64_t number = 0;
  for (const data::Fold& fold : decision_folds(all)) {
    const auto samples = [&](const std::vector<int64_t>& indexes) {
      std::vector<int64_t> chosen;
      for (const int64_t i : indexes) chosen.push_back(all[static_cast<size_t>(i)]);
      return chosen;
    };
    const std::vector<int64_t> left_out = samples(fold.test);
    const FittedData data = source().fit(samples(fold.train));
    if (data.class_names != class_names) {
      throw DataError(kWhere, fmt::format("decision.folds: a class has too few samples to be in every one of {} folds; set data.classes, or fewer folds", recipe_.decision.folds));
    }
    outputs.push_back(train_and_predict(data, split().validation, left_out, static_cast<uint64_t>(recipe_.seed + number)));
    for (const int64_t label : source().labels(left_out, data.preprocess)) held_out.labels.push_back(label);
    if (observer().on_fold) observer().on_fold(++number, recipe_.decision.folds);
  }
  held_out.outputs = Tensor::empty(outputs.front().shape().with(0, static_cast<int64_t>(held_out.labels.size())));
  int64_t row = 0;
  for (const Tensor& part : outputs) {
    held_out.outputs.rows(row, row + part.size(0)).copy_from(part);
    row += part.size(0);
  }
  return held_out;
}

infer::Decision PredictionPipeline::make_decision(nn::Module& model, const infer::BundleConfig& config) {
  const DecisionSection& section = recipe_.decision;
  const fs::path record = directory_.file("decision.json");
  directory_.remove({"decision.json"});
  if (!section.is_fitted()) {
    infer::Decision decision = decide(section, config.task, {}, {});
    if (config.task == data::TaskKind::multilabel) decision.thresholds.assign(config.class_names.size(), decision.threshold);
    return decision;
  }
  HeldOut held_out;
  if (section.folds > 0 && !has_deadline()) {
    held_out = predict_left_out(config.class_names);
  } else {
    if (section.folds > 0) log_warning(kWhere, "there is no time left for decision.folds: the validation split decides");
    const FittedData& data = fitted();
    if (split().validation.empty()) throw ConfigError(kWhere, "decision.folds needs time after the training, and there is no validation split in their place; run it without --deadline");
    const nn::EvalMode eval(model);
    data::DataLoader validation(*data.dataset, split().validation, {.batch_size = kEvaluationBatch}, 0, data::Phase::evaluate);
    held_out.outputs = train::predict_all(model, validation);
    held_out.labels = source().labels(split().validation, data.preprocess);
  }
  Json facts;
  const infer::Decision decision = decide(section, config.task, held_out.outputs, held_out.labels, &facts);
  write_json(record, facts);
  return decision;
}

}  // namespace danlu::app
