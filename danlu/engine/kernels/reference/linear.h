// Reference matrix products.
#pragma once

#include "danlu/engine/kernels/gemm.h"
#include "danlu/engine/kernels/reference/elementwise.h"

namespace danlu::kernels::reference {

template <class T>
T activate(Activation activation, T x) {
  switch (activation) {
    case Activation::none: return x;
    case Activation::relu: return relu(x);
    case Activation::leaky_relu: return leaky_relu(x);
    case Activation::sigmoid: return sigmoid(x);
    case Activation::tanh: return tanh(x);
  }
  return x;
}

// `batch` products A' (m, k) B' (k, n), of A and B or their transposes; one B for all of them if b_shared.
struct MatmulShape {
  int64_t batch, m, n, k;
  bool transpose_a, transpose_b, b_shared;
};

template <class T>
std::vector<T> matmul(const MatmulShape& s, const std::vector<T>& a, const std::vector<T>& b) {
  std::vector<T> y;
  for (int64_t e = 0; e < s.batch; ++e) {
    const int64_t a0 = e * s.m * s.k, b0 = s.b_shared ? 0 : e * s.k * s.n;
    for (int64_t i = 0; i < s.m; ++i) {
      for (int64_t j = 0; j < s.n; ++j) {
        T total(0);
        for (int64_t l = 0; l < s.k; ++l) {
          total += a[static_cast<size_t>(a0 + (s.transpose_a ? l * s.m + i : i * s.k + l))] *
                   b[static_cast<size_t>(b0 + (s.transpose_b ? j * s.k + l : l * s.n + j))];
        }
        y.push_back(total);
      }
    }
  }
  return y;
}

// x (m, k), weight (n, k), bias (n) or empty.
template <class T>
std::vector<T> linear(const std::vector<T>& x, const std::vector<T>& weight, const std::vector<T>& bias, int64_t m, int64_t n, int64_t k,
                      Activation activation) {
  std::vector<T> y = matmul({1, m, n, k, false, true, true}, x, weight);
  for (size_t i = 0; i < y.size(); ++i) y[i] = activate(activation, bias.empty() ? y[i] : y[i] + bias[i % static_cast<size_t>(n)]);
  return y;
}

}  // namespace danlu::kernels::reference
