#include "danlu/app/recipe/image_strips.h"
#include "danlu/app/recipe/prediction_pipeline.h"

namespace danlu::app {
namespace {

constexpr int64_t kEvaluationBatch = 256;

}  // namespace

train::Result PredictionPipeline::train(train::Start start) {
  refuse_compressed();
  train::Result result;
  stage("train", [&] {
    const FittedData& data = fitted();
    const auto seed = static_cast<uint64_t>(recipe_.seed);
    const auto model = make_model(data, seed);
    data::DataLoader training(*data.dataset, data.training_samples, {.batch_size = recipe_.train.batch_size}, seed,
                              data::Phase::train);
    std::optional<data::DataLoader> validation;
    if (!split().validation.empty()) {
      validation.emplace(*data.dataset, split().validation, data::LoaderOptions{.batch_size = kEvaluationBatch}, seed,
                         data::Phase::evaluate);
    }
    const auto objective = make_objective(data);
    result = fit(start, *model, *objective, training, validation ? &*validation : nullptr);
  });
  return result;
}

void PredictionPipeline::show_samples(formats::EventWriter& events) {
  if (source().kind() == infer::InputKind::image && data::has_classes(fitted().task)) write_strips(events, "training", 0, training_strips(fitted(), static_cast<uint64_t>(recipe_.seed)));
}

}  // namespace danlu::app
