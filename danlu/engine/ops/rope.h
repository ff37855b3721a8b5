// Rotary position embedding: each pair of elements (i, i + D/2) of a head turned by the angle position * frequencies[i].
//
//   y[i]       = x[i] cos - x[i + D/2] sin
//   y[i + D/2] = x[i + D/2] cos + x[i] sin
//
// Shapes    x: (..., T, heads * D): the first rotated_heads heads are turned, the others (values, behind queries and keys) copied
//           frequencies: (D / 2), radians a position   positions: i64 (T), or undefined for 0, 1, ...   y: as x
// Gradient  dx: dy turned back. Saves the angles' cosines and sines, not x.
// Errors    ShapeError if sizes do not fit; DtypeError.
// Source    Su et al. 2021, arXiv:2104.09864; pairs as in Hugging Face's Llama.
#pragma once

#include "danlu/engine/tensor/tensor.h"

namespace danlu {

Tensor rope(const Tensor& x, int64_t heads, int64_t rotated_heads, const Tensor& frequencies, const Tensor& positions = {});

}  // namespace danlu
