// What each column of a table is worth to a model: permutation importance on the test split (eval/permutation_importance.h).
#pragma once

#include "danlu/base/json.h"
#include "danlu/base/timer.h"
#include "danlu/engine/tensor/tensor.h"
#include "danlu/eval/predictions.h"
#include "danlu/infer/predictor.h"

namespace danlu::app {

// `x` are the encoded samples of `predictions`, (N, F). The features of a column are shuffled together. Of many samples as many are taken,
// evenly, as can be answered in a few seconds; columns that there was no time for are left out and counted.
//   {"metric": "auc", "value": 0.97, "samples": 114, "repeats": 5, "left_out": 0,
//    "columns": [{"column", "importance": the fall of the metric, or the rise of an error, "spread": of the repeats}, ...]}    most first
// Null where the metric is undefined on these samples.
Json column_importance(infer::Predictor& predictor, const Tensor& x, const eval::Predictions& predictions, double seconds);

}  // namespace danlu::app
