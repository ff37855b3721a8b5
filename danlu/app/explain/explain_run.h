// Why a run's model answers as it does, on its test split: explanation.json.
//
//   {"input": "table", "seconds": 1.2,
//    "importance": column_importance(), for tables,       "words": WordWeights::to_json(), for texts,
//    "importance": forecast_importance(), for series,
//    "samples": [{"sample": 17, "actual": "bad", "predicted": "good", "explanation": infer::to_json, "map": a PNG in base64, for images}]}
#pragma once

#include <span>

#include "danlu/app/recipe/data_source.h"
#include "danlu/base/options.h"
#include "danlu/eval/predictions.h"

namespace danlu::app {

// `samples` are those of `predictions`, in their order; `examples` is what telling_examples() says of them, and those are explained one by
// one. Nothing new is begun after `seconds`.
Json explain_run(const DataSource& source, infer::Predictor& predictor, std::span<const int64_t> samples, const eval::Predictions& predictions, const Json& examples,
                 double seconds);

// The same for people: what counts on the whole, and with the samples. Empty for null.
std::string explanation_summary(const Json& explanation);
std::string explanation_text(const Json& explanation);

}  // namespace danlu::app
