// Reference rearrangements.
#pragma once

#include "danlu/engine/kernels/reference/elementwise.h"
#include "danlu/engine/kernels/reference/reduce.h"

namespace danlu::kernels::reference {

// Axis i of the result is axis permutation[i] of x.
template <class T>
std::vector<T> transpose(const std::vector<T>& x, const Sizes& sizes, const std::vector<int>& permutation) {
  const size_t rank = sizes.size();
  Sizes strides(rank, 1), y_sizes(rank);
  for (size_t i = rank; i-- > 1;) strides[i - 1] = strides[i] * sizes[i];
  for (size_t i = 0; i < rank; ++i) y_sizes[i] = sizes[static_cast<size_t>(permutation[i])];
  std::vector<T> y;
  for (int64_t flat = 0; flat < product(sizes); ++flat) {
    int64_t rest = flat, from = 0;
    for (size_t i = rank; i-- > 0;) {
      from += rest % y_sizes[i] * strides[static_cast<size_t>(permutation[i])];
      rest /= y_sizes[i];
    }
    y.push_back(x[static_cast<size_t>(from)]);
  }
  return y;
}

// Elements [begin, end) of the middle axis.
template <class T>
std::vector<T> slice(const std::vector<T>& x, Axis axis, int64_t begin, int64_t end) {
  std::vector<T> y;
  for (int64_t o = 0; o < axis.outer; ++o) {
    for (int64_t i = begin; i < end; ++i) {
      for (int64_t j = 0; j < axis.inner; ++j) y.push_back(x[axis.at(o, i, j)]);
    }
  }
  return y;
}

// parts[k] is (outer, axes[k].n, inner).
template <class T>
std::vector<T> concat(const std::vector<std::vector<T>>& parts, const std::vector<Axis>& axes) {
  std::vector<T> y;
  for (int64_t o = 0; o < axes[0].outer; ++o) {
    for (size_t k = 0; k < parts.size(); ++k) {
      const auto row = parts[k].begin() + o * axes[k].n * axes[k].inner;
      y.insert(y.end(), row, row + axes[k].n * axes[k].inner);
    }
  }
  return y;
}

}  // namespace danlu::kernels::reference
