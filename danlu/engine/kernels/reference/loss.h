// Reference losses: the reduced value.
#pragma once

#include "danlu/engine/kernels/loss.h"
#include "danlu/engine/kernels/reference/softmax.h"

namespace danlu::kernels::reference {

// -sum_c q_c log softmax(x)_c over rows of n, with probabilities q, each moved by `smoothing` towards the uniform distribution.
template <class T>
std::vector<T> cross_entropy_rows(const std::vector<T>& x, const std::vector<T>& q, int64_t n, T smoothing) {
  const std::vector<T> log_p = log_softmax(x, n);
  std::vector<T> rows(x.size() / static_cast<size_t>(n), T(0));
  for (size_t i = 0; i < x.size(); ++i) {
    rows[i / static_cast<size_t>(n)] -= ((T(1) - smoothing) * q[i] + smoothing / T(n)) * log_p[i];
  }
  return rows;
}

template <class T>
T cross_entropy_soft(const std::vector<T>& x, const std::vector<T>& q, int64_t n, T smoothing, bool mean) {
  const std::vector<T> rows = cross_entropy_rows(x, q, n, smoothing);
  T total(0);
  for (const T loss : rows) total += loss;
  return mean && !rows.empty() ? total / T(rows.size()) : total;
}

template <class T>
T cross_entropy(const std::vector<T>& x, const std::vector<int64_t>& target, int64_t n, int64_t ignore, T smoothing, bool mean) {
  std::vector<T> q(x.size(), T(0));
  for (size_t row = 0; row < target.size(); ++row) {
    if (target[row] != ignore) q[row * static_cast<size_t>(n) + static_cast<size_t>(target[row])] = T(1);
  }
  const std::vector<T> rows = cross_entropy_rows(x, q, n, smoothing);
  T total(0), counted(0);
  for (size_t row = 0; row < rows.size(); ++row) {
    if (target[row] == ignore) continue;
    total += rows[row];
    counted += T(1);
  }
  return mean && counted > T(0) ? total / counted : total;
}

template <class T>
T pointwise_loss_at(PointwiseLoss f, T x, T t, T delta) {
  const T r = x - t, distance = std::abs(r);
  switch (f) {
    case PointwiseLoss::bce_with_logits: return std::max(x, T(0)) - x * t + std::log1p(std::exp(-std::abs(x)));
    case PointwiseLoss::squared_hinge: return t * x >= T(1) ? T(0) : (T(1) - t * x) * (T(1) - t * x);
    case PointwiseLoss::squared: return r * r;
    case PointwiseLoss::absolute: return distance;
    case PointwiseLoss::huber: return distance <= delta ? r * r / T(2) : delta * (distance - delta / T(2));
  }
  return T(0);
}

// weight may be empty; mean divides by the sum of the weights.
template <class T>
T pointwise_loss(PointwiseLoss f, const std::vector<T>& x, const std::vector<T>& t, const std::vector<T>& weight, T delta, bool mean) {
  T total(0), counted(0);
  for (size_t i = 0; i < x.size(); ++i) {
    const T w = weight.empty() ? T(1) : weight[i];
    total += w * pointwise_loss_at(f, x[i], t[i], delta);
    counted += w;
  }
  return mean && counted > T(0) ? total / counted : total;
}

}  // namespace danlu::kernels::reference
