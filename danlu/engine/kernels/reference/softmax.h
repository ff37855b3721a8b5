// Reference softmax over rows of n numbers.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace danlu::kernels::reference {

template <class T>
std::vector<T> log_softmax(const std::vector<T>& x, int64_t n) {
  std::vector<T> y;
  for (auto row = x.begin(); row != x.end(); row += n) {
    const T largest = *std::max_element(row, row + n);
    T total(0);
    for (auto value = row; value != row + n; ++value) total += std::exp(*value - largest);
    for (auto value = row; value != row + n; ++value) y.push_back(*value - largest - std::log(total));
  }
  return y;
}

template <class T>
std::vector<T> softmax(const std::vector<T>& x, int64_t n) {
  std::vector<T> y = log_softmax(x, n);
  for (T& value : y) value = std::exp(value);
  return y;
}

}  // namespace danlu::kernels::reference
