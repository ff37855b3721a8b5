#include "danlu/app/recipe/pipeline.h"
#include "danlu/learn/train/checkpoint.h"

namespace danlu::app {
namespace {

constexpr int64_t kEvaluationBatch = 256;

Json number_or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json to_json(const train::EpochReport& r) {
  return {{"step", r.progress.step},
          {"epoch", r.progress.epoch},
          {"seconds", r.seconds},
          {"train_loss", r.train_loss},
          {"train_accuracy", number_or_null(r.train_accuracy)},
          {"validation_loss", number_or_null(r.validation_loss)},
          {"validation_accuracy", number_or_null(r.validation_accuracy)},
          {"lr", r.lr},
          {"gradient_norm", r.gradient_norm},
          {"best", r.is_best}};
}

Json to_json(const train::Result& r, const nn::Module& model) {
  return {{"steps", r.steps},
          {"epochs", r.epochs},
          {"seconds", r.seconds},
          {"stopped_by", r.stopped_by},
          {"monitor", r.monitor},
          {"best_value", r.best_value},
          {"best_step", r.best_step},
          {"skipped_updates", r.skipped_updates},
          {"weights_hash", train::weights_hash(model)}};
}

}  // namespace

train::Result Pipeline::train() {
  train::Result result;
  stage("train", [&] {
    const FittedData& data = fitted();
    directory_.remove({"checkpoints", "metrics.jsonl", "bundle", "report.json", "report.txt", "example_request.json"});

    const auto seed = static_cast<uint64_t>(recipe_.seed);
    const auto model = make_model(data, seed);
    data::DataLoader training(*data.dataset, data.training_samples, {.batch_size = recipe_.train.batch_size}, seed,
                              data::Phase::train);
    std::optional<data::DataLoader> validation;
    if (!split().validation.empty()) {
      validation.emplace(*data.dataset, split().validation, data::LoaderOptions{.batch_size = kEvaluationBatch}, seed,
                         data::Phase::evaluate);
    }
    LineAppender metrics(directory_.file("metrics.jsonl"));
    train::Callbacks callbacks = observer_.training;
    callbacks.on_epoch = [&](const train::EpochReport& epoch) {
      metrics.append(to_line(to_json(epoch)));
      if (observer_.training.on_epoch) observer_.training.on_epoch(epoch);
    };
    const train::PredictionObjective objective(data.task, recipe_.train.objective);
    train::Trainer trainer(*model, objective, recipe_.train);
    result = trainer.fit(training, validation ? &*validation : nullptr, directory_.checkpoints(), callbacks);
    const bool stopped = result.stopped_by == "request";
    directory_.update({{"status", stopped ? "stopped" : "trained"}, {"training", to_json(result, *model)}});
  });
  return result;
}

}  // namespace danlu::app
