// Pieces of recommenders. For the .cpp files of this room.
#pragma once

#include "danlu/engine/ops/movement.h"
#include "danlu/engine/tensor/tensor.h"

namespace danlu::models {

// A number of each item's own, added to its scores: a further column of the items (V, D) against a one in each query (..., D).
inline Tensor with_bias(const Tensor& items, const Tensor& bias) { return concat({items, reshape(bias, {bias.size(0), 1})}, 1); }
inline Tensor with_one(const Tensor& queries) { return concat({queries, Tensor::full(queries.shape().with(queries.rank() - 1, 1), 1)}, -1); }

// Categories as token ids, i64 (N, most that any has), counted from 1, with 0 behind them. At least one column.
Tensor feature_ids(const std::vector<std::vector<int64_t>>& features, int64_t owners);

// The mean of the vectors of ids: i64 (N, T) with 0 for none, weight (kinds + 1, D), to (N, D); zero for a row without any.
Tensor mean_of_vectors(const Tensor& ids, const Tensor& weight);

}  // namespace danlu::models
