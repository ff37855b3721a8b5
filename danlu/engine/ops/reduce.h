// Reductions of f32 tensors over one axis, or over everything.
//
// Shapes    over an axis: that axis is removed, or kept with size 1 if keep_axis. Over everything: a scalar, shape ().
// Errors    ShapeError for an axis that does not exist, or for max, argmax and mean of nothing.
// Threads   parallel; sums run in an order that does not depend on the number of threads.
#pragma once

#include "danlu/engine/tensor/tensor.h"

namespace danlu {

Tensor sum(const Tensor& x);
Tensor sum(const Tensor& x, int axis, bool keep_axis = false);
Tensor mean(const Tensor& x);
Tensor mean(const Tensor& x, int axis, bool keep_axis = false);

// The largest element; the gradient goes to the first of equals.
Tensor max(const Tensor& x, int axis, bool keep_axis = false);
// Index of the first largest element, i64. Not differentiable.
Tensor argmax(const Tensor& x, int axis, bool keep_axis = false);

}  // namespace danlu
