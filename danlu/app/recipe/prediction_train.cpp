#include "danlu/app/recipe/prediction_pipeline.h"

namespace danlu::app {
namespace {

constexpr int64_t kEvaluationBatch = 256;

}  // namespace

train::Result PredictionPipeline::train() {
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
    train::Callbacks callbacks = observer().training;
    callbacks.on_epoch = [&](const train::EpochReport& epoch) {
      metrics.append(to_line(to_json(epoch)));
      if (observer().training.on_epoch) observer().training.on_epoch(epoch);
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
