// Samples of the test split that say most of a model: where it was wrong and surest of it, where it was least sure, and what it takes
// for the clearest of each class.
#pragma once

#include "danlu/app/recipe/data_source.h"
#include "danlu/eval/predictions.h"

namespace danlu::app {

// {"wrong": [...], "unsure": [...], "right": [...]}, each at most a dozen of
//   {"sample": index in the source, "actual", "predicted", "probability": of what was predicted, "input": as DataSource::example}
// For numbers "wrong" has the largest errors, "right" the smallest, and there is no "unsure". Images are made small. `samples` are those of `predictions`,
// in their order.
Json telling_examples(const DataSource& source, const infer::Predictor& predictor, std::span<const int64_t> samples, const eval::Predictions& predictions);

}  // namespace danlu::app
