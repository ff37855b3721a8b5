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

}  // namespace danlu
