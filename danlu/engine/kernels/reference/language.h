// Reference kernels of language models.
#pragma once

#include <cmath>
#include <limits>

#include "danlu/engine/kernels/reference/linear.h"
#include "danlu/engine/kernels/reference/loss.h"
#include "danlu/engine/kernels/reference/norm.h"

namespace danlu::kernels::reference {

// Rows of weight (V, n).
template <class T>
std::vector<T> embedding(const std::vector<int64_t>& ids, const std::vector<T>& weight, int64_t n) {
  std::vector<T> y;
  for (const int64_t id : ids) y.insert(y.end(), weight.begin() + id * n, weight.begin() + (id + 1) * n);
  return y;
}

// Sums of rows of weight (V, n), k a bag.
template <class T>
std::vector<T> embedding_bag(const std::vector<int64_t>& ids, const std::vector<T>& scales, const std::vector<T>& weight, int64_t bags, int64_t k, int64_t n) {
  std::vector<T> y(static_cast<size_t>(bags * n), T(0));
  for (int64_t at = 0; at < bags * k; ++at) {
    const T scale = scales[static_cast<size_t>(at)];
    if (scale == T(0)) continue;
    for (int64_t c = 0; c < n; ++c) y[static_cast<size_t>(at / k * n + c)] += scale * weight[static_cast<size_t>(ids[static_cast<size_t>(at)] * n + c)];
  }
  return y;
}

// x (rows, heads, 2 pairs), row i at positions[i].
template <class T>
std::vector<T> rope(const std::vector<T>& x, const std::vector<int64_t>& positions, int64_t heads, int64_t rotated, const std::vector<T>& frequencies) {
  std::vector<T> y = x;
  const size_t pairs = frequencies.size(), head = 2 * pairs;
  for (size_t row = 0; row < positions.size(); ++row) {
    for (size_t h = 0; h < static_cast<size_t>(rotated); ++h) {
      const size_t at = (row * static_cast<size_t>(heads) + h) * head;
      for (size_t i = 0; i < pairs; ++i) {
        const T angle = T(positions[row]) * frequencies[i], c = std::cos(angle), s = std::sin(angle);
        y[at + i] = x[at + i] * c - x[at + pairs + i] * s;
        y[at + pairs + i] = x[at + pairs + i] * c + x[at + i] * s;
      }
    }
  }
  return y;
}

struct AttentionShape {
  int64_t batch, length, heads, kv_heads, head_dim;
  bool causal;
  double scale;
};

// qkv (batch, length, heads + 2 kv_heads, head_dim); first (batch, length) or empty.
template <class T>
std::vector<T> attention(const AttentionShape& s, const std::vector<T>& qkv, const std::vector<int64_t>& first) {
  const auto at = [&](int64_t n, int64_t t, int64_t vector, int64_t i) {
    return qkv[static_cast<size_t>(((n * s.length + t) * (s.heads + 2 * s.kv_heads) + vector) * s.head_dim + i)];
  };
  std::vector<T> y;
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t t = 0; t < s.length; ++t) {
      for (int64_t h = 0; h < s.heads; ++h) {
        const int64_t key = s.heads + h / (s.heads / s.kv_heads), value = key + s.kv_heads;
        const int64_t begin = first.empty() ? 0 : first[static_cast<size_t>(n * s.length + t)], end = s.causal ? t + 1 : s.length;
        std::vector<T> scores;
        for (int64_t j = begin; j < end; ++j) {
          T score(0);
          for (int64_t i = 0; i < s.head_dim; ++i) score += at(n, t, h, i) * at(n, j, key, i);
          scores.push_back(T(s.scale) * score);
        }
        const std::vector<T> p = softmax(scores, end - begin);
        for (int64_t i = 0; i < s.head_dim; ++i) {
          T total(0);
          for (int64_t j = begin; j < end; ++j) total += p[static_cast<size_t>(j - begin)] * at(n, j, value, i);
          y.push_back(total);
        }
      }
    }
  }
  return y;
}

// x (rows, 2 n): gate and up.
template <class T>
std::vector<T> swiglu(const std::vector<T>& x, int64_t n) {
  std::vector<T> y;
  for (size_t i = 0; i < x.size(); ++i) {
    if (static_cast<int64_t>(i) % (2 * n) < n) y.push_back(silu(x[i]) * x[i + static_cast<size_t>(n)]);
  }
  return y;
}

// {x + residual, norm(x + residual)}, one behind the other.
template <class T, class Norm>
std::vector<T> add_norm(const std::vector<T>& x, const std::vector<T>& residual, const Norm& norm) {
  std::vector<T> sum = x;
  for (size_t i = 0; i < x.size(); ++i) sum[i] += residual[i];
  const std::vector<T> y = norm(sum);
  sum.insert(sum.end(), y.begin(), y.end());
  return sum;
}

}  // namespace danlu::kernels::reference
