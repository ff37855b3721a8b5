// Rearranging elements.
//
// Types     reshape, transpose, concat and slice take any type; only f32 is differentiable.
// Errors    ShapeError if sizes do not fit or an axis does not exist.
#pragma once

#include <span>
#include <vector>

#include "danlu/engine/tensor/tensor.h"

namespace danlu {

// The same elements under another shape: a view, no copy. One size may be -1: it is derived.
Tensor reshape(const Tensor& x, std::span<const int64_t> sizes);
inline Tensor reshape(const Tensor& x, std::initializer_list<int64_t> sizes) {
  return reshape(x, std::span<const int64_t>(sizes.begin(), sizes.size()));
}
inline Tensor reshape(const Tensor& x, const Shape& shape) { return reshape(x, shape.sizes()); }

// Axis i of the result is axis permutation[i] of x. Copies.
Tensor transpose(const Tensor& x, std::span<const int> permutation);
inline Tensor transpose(const Tensor& x, std::initializer_list<int> permutation) {
  return transpose(x, std::span<const int>(permutation.begin(), permutation.size()));
}

// One after the other along an axis; all other sizes are the same. At least one tensor.
Tensor concat(const std::vector<Tensor>& parts, int axis);

// Elements [begin, end) of an axis; negative numbers count from the end. A view for the first axis, else a copy.
Tensor slice(const Tensor& x, int axis, int64_t begin, int64_t end);

}  // namespace danlu
