// Rows of a table by their indexes.
//
//   y[..., :] = weight[ids[...], :]
//
// Shapes    ids: i64 (...)   weight: (V, C)   y: (..., C)
// Gradient  dweight: the rows of dy added to those they came from, in the order of ids, for any number of threads.
//           Saves ids (shared, not copied).
// Errors    DataError naming the position for an id outside [0, V); ShapeError; DtypeError.
#pragma once

#include "danlu/engine/tensor/tensor.h"

namespace danlu {

Tensor embedding(const Tensor& ids, const Tensor& weight);

// Weighted sums of rows: what a sparse matrix times a dense one is, the sparse one given as the places and values of its rows.
//
//   y[i, :] = sum over j of scales[i, j] weight[ids[i, j], :]
//
// Shapes    ids: i64 (N, K)   scales: f32 (N, K)   weight: (V, C)   y: (N, C). A term whose scale is 0 is left out: padding.
// Gradient  with respect to weight only, added in the order of ids, for any number of threads. Saves ids and scales (shared, not
//           copied); scales may not change before backward.
// Errors    as embedding.
Tensor embedding_bag(const Tensor& ids, const Tensor& scales, const Tensor& weight);

}  // namespace danlu
