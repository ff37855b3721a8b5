// Recurrent cells as plain loops, one sequence and one position at a time.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "danlu/engine/kernels/recurrent.h"

namespace danlu::kernels::reference {

// x (N, T, G H), weight (G H, H), bias (G H), h0 and c0 (N, H) or empty. y (N, T, H).
template <class T>
std::vector<T> recurrent(Cell cell, int64_t batch, int64_t length, int64_t hidden, bool reverse, const std::vector<T>& x, const std::vector<T>& weight,
                         const std::vector<T>& bias, const std::vector<int64_t>& lengths, const std::vector<T>& h0, const std::vector<T>& c0) {
  const auto sigmoid = [](T v) { return 1 / (1 + std::exp(-v)); };
  const int64_t gates = gates_of(cell) * hidden;
  std::vector<T> y(static_cast<size_t>(batch * length * hidden));
  for (int64_t n = 0; n < batch; ++n) {
    const int64_t end = lengths.empty() ? length : lengths[static_cast<size_t>(n)];
    std::vector<T> h(static_cast<size_t>(hidden)), c(static_cast<size_t>(hidden));
    for (int64_t j = 0; j < hidden; ++j) {
      if (!h0.empty()) h[static_cast<size_t>(j)] = h0[static_cast<size_t>(n * hidden + j)];
      if (!c0.empty()) c[static_cast<size_t>(j)] = c0[static_cast<size_t>(n * hidden + j)];
    }
    for (int64_t step = 0; step < end; ++step) {
      const int64_t t = reverse ? end - 1 - step : step;
      std::vector<T> in(static_cast<size_t>(gates)), state(static_cast<size_t>(gates));
      for (int64_t g = 0; g < gates; ++g) {
        in[static_cast<size_t>(g)] = x[static_cast<size_t>((n * length + t) * gates + g)];
        T sum = bias.empty() ? T(0) : bias[static_cast<size_t>(g)];
        for (int64_t k = 0; k < hidden; ++k) sum += weight[static_cast<size_t>(g * hidden + k)] * h[static_cast<size_t>(k)];
        state[static_cast<size_t>(g)] = sum;
      }
      for (int64_t j = 0; j < hidden; ++j) {
        const auto i = static_cast<size_t>(j);
        const auto sum = [&](int64_t gate) { return in[static_cast<size_t>(gate * hidden + j)] + state[static_cast<size_t>(gate * hidden + j)]; };
        if (cell == Cell::rnn) {
          h[i] = std::tanh(sum(0));
        } else if (cell == Cell::lstm) {
          c[i] = sigmoid(sum(1)) * c[i] + sigmoid(sum(0)) * std::tanh(sum(2));
          h[i] = sigmoid(sum(3)) * std::tanh(c[i]);
        } else {
          const T r = sigmoid(sum(0)), z = sigmoid(sum(1));
          const T g = std::tanh(in[static_cast<size_t>(2 * hidden + j)] + r * state[static_cast<size_t>(2 * hidden + j)]);
          h[i] = (1 - z) * g + z * h[i];
        }
        y[static_cast<size_t>((n * length + t) * hidden + j)] = h[i];
      }
    }
  }
  return y;
}

}  // namespace danlu::kernels::reference
