// Reference reductions of x (outer, n, inner) over its middle axis.
#pragma once

#include <cstdint>
#include <vector>

namespace danlu::kernels::reference {

struct Axis {
  int64_t outer, n, inner;
  size_t at(int64_t o, int64_t i, int64_t j) const { return static_cast<size_t>((o * n + i) * inner + j); }
};

template <class T>
std::vector<T> sum(const std::vector<T>& x, Axis axis) {
  std::vector<T> y;
  for (int64_t o = 0; o < axis.outer; ++o) {
    for (int64_t j = 0; j < axis.inner; ++j) {
      T total(0);
      for (int64_t i = 0; i < axis.n; ++i) total += x[axis.at(o, i, j)];
      y.push_back(total);
    }
  }
  return y;
}

template <class T>
std::vector<T> mean(const std::vector<T>& x, Axis axis) {
  std::vector<T> y = sum(x, axis);
  for (T& value : y) value /= T(axis.n);
  return y;
}

// Where the first largest element is, or the first NaN.
template <class T>
std::vector<int64_t> argmax(const std::vector<T>& x, Axis axis) {
  std::vector<int64_t> y;
  for (int64_t o = 0; o < axis.outer; ++o) {
    for (int64_t j = 0; j < axis.inner; ++j) {
      int64_t best = 0;
      for (int64_t i = 1; i < axis.n; ++i) {
        const T value = x[axis.at(o, i, j)], largest = x[axis.at(o, best, j)];
        if (value > largest || (value != value && largest == largest)) best = i;
      }
      y.push_back(best);
    }
  }
  return y;
}

template <class T>
std::vector<T> max(const std::vector<T>& x, Axis axis) {
  const std::vector<int64_t> where = argmax(x, axis);
  std::vector<T> y;
  for (int64_t o = 0; o < axis.outer; ++o) {
    for (int64_t j = 0; j < axis.inner; ++j) y.push_back(x[axis.at(o, where[y.size()], j)]);
  }
  return y;
}

}  // namespace danlu::kernels::reference
