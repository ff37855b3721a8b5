// What a column is like when nothing is known of it: values of the training data, for explaining answers (explanation.h).
//
// A bundle of a table has background.json with a few dozen rows of features. The values of each column are those of training rows, but
// shuffled on their own between the rows: no row of it is one of the training data, which may be about people and does not travel with
// the model. An average answer over these rows is one over columns that know nothing of each other.
//
//   {"rows": [[0.3, -1.2, ...], ...]}     one number a feature, as the model takes them
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "danlu/base/json.h"
#include "danlu/data/table/preprocessor.h"
#include "danlu/engine/tensor/tensor.h"

namespace danlu::infer {

// From some of the rows `training` of the features (N, F) that `preprocessor` made. Without training rows there are none.
Json make_background(const data::TablePreprocessor& preprocessor, const Tensor& features, std::span<const int64_t> training, uint64_t seed = 1);

// (B, features). Throws DataError naming `source` and what is wrong.
Tensor read_background(const Json& json, int64_t features, const std::string& source);

}  // namespace danlu::infer
