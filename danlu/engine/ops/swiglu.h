// The gate of a feed-forward layer.
//
//   y = silu(gate) * up,   x = (gate, up)
//
// Shapes    x: (..., 2 F): gate, then up   y: (..., F)
// Gradient  dx. Saves x.
// Errors    ShapeError unless the last axis is even; DtypeError.
// Source    Shazeer 2020, arXiv:2002.05202.
#pragma once

#include "danlu/engine/tensor/tensor.h"

namespace danlu {

Tensor swiglu(const Tensor& x);

}  // namespace danlu
