// Reference kernels: plain loops straight from the formulas, over any number type. Tests compare the fast kernels with them in
// double; nothing else uses them.
//
// Here: functions of one element, and of pairs that meet by NumPy's broadcasting.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace danlu::kernels::reference {

using Sizes = std::vector<int64_t>;

inline int64_t product(const Sizes& sizes) {
  int64_t n = 1;
  for (const int64_t size : sizes) n *= size;
  return n;
}

template <class T> T neg(T x) { return -x; }
template <class T> T exp(T x) { return std::exp(x); }
template <class T> T log(T x) { return std::log(x); }
template <class T> T sqrt(T x) { return std::sqrt(x); }
template <class T> T square(T x) { return x * x; }
template <class T> T abs(T x) { return x < T(0) ? -x : x; }
template <class T> T relu(T x) { return x < T(0) ? T(0) : x; }
template <class T> T leaky_relu(T x) { return x > T(0) ? x : T(0.2f) * x; }
template <class T> T sigmoid(T x) { return T(1) / (T(1) + std::exp(-x)); }
template <class T> T tanh(T x) { return std::tanh(x); }
template <class T> T gelu(T x) { return x * std::erfc(-x / std::sqrt(T(2))) / T(2); }
template <class T> T gelu_tanh(T x) {
  const T pi = std::acos(T(-1));
  return x / T(2) * (T(1) + std::tanh(std::sqrt(T(2) / pi) * (x + T(0.044715) * x * x * x)));
}
template <class T> T silu(T x) { return x * sigmoid(x); }
template <class T> T clamp(T x, T low, T high) { return std::min(std::max(x, low), high); }

template <class T, class Function>
std::vector<T> map(const std::vector<T>& x, const Function& f) {
  std::vector<T> y;
  for (const T value : x) y.push_back(f(value));
  return y;
}

// Sizes of the result of two operands, which must fit.
inline Sizes broadcast_sizes(const Sizes& a, const Sizes& b) {
  const size_t rank = std::max(a.size(), b.size());
  Sizes y(rank);
  for (size_t back = 1; back <= rank; ++back) {
    const int64_t from_a = back <= a.size() ? a[a.size() - back] : 1, from_b = back <= b.size() ? b[b.size() - back] : 1;
    y[rank - back] = from_a == 1 ? from_b : from_a;
  }
  return y;
}

// The element of an operand that stands at flat index `i` of the result.
inline int64_t broadcast_index(const Sizes& operand, const Sizes& result, int64_t i) {
  int64_t index = 0, stride = 1;
  for (size_t back = 1; back <= result.size(); ++back) {
    const int64_t size = result[result.size() - back], position = i % size;
    i /= size;
    if (back > operand.size()) continue;
    const int64_t own = operand[operand.size() - back];
    if (own != 1) index += position * stride;
    stride *= own;
  }
  return index;
}

template <class T, class Function>
std::vector<T> map(const std::vector<T>& a, const Sizes& a_sizes, const std::vector<T>& b, const Sizes& b_sizes, const Function& f) {
  const Sizes sizes = broadcast_sizes(a_sizes, b_sizes);
  std::vector<T> y;
  for (int64_t i = 0; i < product(sizes); ++i) {
    y.push_back(f(a[static_cast<size_t>(broadcast_index(a_sizes, sizes, i))], b[static_cast<size_t>(broadcast_index(b_sizes, sizes, i))]));
  }
  return y;
}

}  // namespace danlu::kernels::reference
