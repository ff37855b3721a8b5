// What a bundle said of samples, beside the truth of their source.
#pragma once

#include <span>

#include "danlu/app/recipe/data_source.h"
#include "danlu/app/recipe/recipe.h"
#include "danlu/eval/predictions.h"
#include "danlu/eval/report.h"
#include "danlu/infer/bundle.h"

namespace danlu::app {

// Of one target. `outputs` are those of the predictor for the samples, `preprocess` is that of its bundle.
eval::Predictions compare_predictions(const DataSource& source, std::span<const int64_t> samples, const infer::BundleConfig& config, const Json& preprocess,
                                      const infer::Predictor& predictor, const Tensor& outputs);
// Of one of several targets, from what is said of all of them.
eval::Predictions compare_head(const DataSource& source, std::span<const int64_t> samples, const data::Head& head, const Json& preprocess,
                               std::span<const infer::Prediction> said);

// The metrics that the recipe asks for, or the usual ones, and those that it has gates for.
eval::EvaluateOptions measured_by(const EvaluateSection& section, eval::Task task);

}  // namespace danlu::app
