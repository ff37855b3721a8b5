#include "danlu/engine/kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "danlu/base/threads.h"

namespace danlu::kernels {
namespace {

float dot(const float* a, const float* b, int64_t n) {
  float total = 0;
  for (int64_t i = 0; i < n; ++i) total += a[i] * b[i];
  return total;
}

void add_scaled(float* y, float a, const float* x, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] += a * x[i];
}

// The keys [begin, end) that position i may see.
struct Visible {
  int64_t begin, end;
};

Visible visible(const AttentionShape& s, const int64_t* first, int64_t n, int64_t i) {
  return {first == nullptr ? 0 : first[n * s.length + i], s.causal ? i + 1 : s.length};
}

// One row: y = softmax(scale q k) v; returns the logarithm of the sum of exponentials.
float attend(const float* q, const float* k, const float* v, int64_t k_row, int64_t v_row, Visible keys, int64_t d, float scale, float* p, float* y) {
  float largest = -HUGE_VALF, total = 0;
  for (int64_t j = keys.begin; j < keys.end; ++j) {
    p[j] = scale * dot(q, k + j * k_row, d);
    largest = std::max(largest, p[j]);
  }
  for (int64_t j = keys.begin; j < keys.end; ++j) total += p[j] = std::exp(p[j] - largest);
  std::fill(y, y + d, 0.0f);
  for (int64_t j = keys.begin; j < keys.end; ++j) add_scaled(y, p[j] / total, v + j * v_row, d);
  return largest + std::log(total);
}

}  // namespace

void attention(const AttentionShape& s, const float* qkv, const int64_t* first, float* y, float* log_sum_exp) {
  const int64_t d = s.head_dim, group = s.heads / s.kv_heads;
  parallel_for(s.batch * s.heads, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> p(static_cast<size_t>(s.length));
    for (int64_t task = begin; task < end; ++task) {
      const int64_t n = task / s.heads, h = task % s.heads;
      const float* row = qkv + n * s.length * s.row();
      for (int64_t i = 0; i < s.length; ++i) {
        const float lse = attend(row + i * s.row() + h * d, row + (s.heads + h / group) * d, row + (s.heads + s.kv_heads + h / group) * d,
                                 s.row(), s.row(), visible(s, first, n, i), d, s.scale, p.data(), y + ((n * s.length + i) * s.heads + h) * d);
        if (log_sum_exp != nullptr) log_sum_exp[task * s.length + i] = lse;
      }
    }
  });
}

void attention_backward(const AttentionShape& s, const float* dy, const float* qkv, const int64_t* first, const float* y,
                        const float* log_sum_exp, float* dqkv) {
  const int64_t d = s.head_dim, group = s.heads / s.kv_heads, row = s.row();
  parallel_for(s.batch * s.kv_heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t n = task / s.kv_heads, kv = task % s.kv_heads, key = (s.heads + kv) * d, value = key + s.kv_heads * d;
      const float* x = qkv + n * s.length * row;
      float* dx = dqkv + n * s.length * row;
      for (int64_t i = 0; i < s.length; ++i) {
        std::fill(dx + i * row + key, dx + i * row + key + d, 0.0f);
        std::fill(dx + i * row + value, dx + i * row + value + d, 0.0f);
      }
      for (int64_t h = kv * group; h < (kv + 1) * group; ++h) {
        for (int64_t i = 0; i < s.length; ++i) {
          const float* q = x + i * row + h * d;
          const float* g = dy + ((n * s.length + i) * s.heads + h) * d;
          float* dq = dx + i * row + h * d;
          std::fill(dq, dq + d, 0.0f);
          const float mean = dot(g, y + ((n * s.length + i) * s.heads + h) * d, d);
          const Visible keys = visible(s, first, n, i);
          for (int64_t j = keys.begin; j < keys.end; ++j) {
            const float p = std::exp(s.scale * dot(q, x + j * row + key, d) - log_sum_exp[(n * s.heads + h) * s.length + i]);
            const float ds = s.scale * p * (dot(g, x + j * row + value, d) - mean);
            add_scaled(dx + j * row + value, p, g, d);
            add_scaled(dq, ds, x + j * row + key, d);
            add_scaled(dx + j * row + key, ds, q, d);
          }
        }
      }
    }
  });
}

void attention_cached(const float* qkv, std::span<const CachedSequence> sequences, int64_t heads, int64_t kv_heads, int64_t head_dim,
                      float scale, float* y) {
  const int64_t d = head_dim, row = (heads + 2 * kv_heads) * d, group = heads / kv_heads;
  std::vector<int64_t> first_row;
  int64_t rows = 0;
  for (const CachedSequence& sequence : sequences) {
    first_row.push_back(rows);
    rows += sequence.rows;
  }
  parallel_for(static_cast<int64_t>(sequences.size()) * kv_heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const CachedSequence& sequence = sequences[static_cast<size_t>(task / kv_heads)];
      const int64_t kv = task % kv_heads, row0 = first_row[static_cast<size_t>(task / kv_heads)];
      float* keys = sequence.keys + kv * sequence.capacity * d;
      float* values = sequence.values + kv * sequence.capacity * d;
      for (int64_t r = 0; r < sequence.rows; ++r) {
        const float* from = qkv + (row0 + r) * row + (heads + kv) * d;
        std::memcpy(keys + (sequence.position + r) * d, from, static_cast<size_t>(d) * sizeof(float));
        std::memcpy(values + (sequence.position + r) * d, from + kv_heads * d, static_cast<size_t>(d) * sizeof(float));
      }
      std::vector<float> p(static_cast<size_t>(sequence.position + sequence.rows));
      for (int64_t h = kv * group; h < (kv + 1) * group; ++h) {
        for (int64_t r = 0; r < sequence.rows; ++r) {
          attend(qkv + (row0 + r) * row + h * d, keys, values, d, d, {0, sequence.position + r + 1}, d, scale, p.data(),
                 y + ((row0 + r) * heads + h) * d);
        }
      }
    }
  });
}

}  // namespace danlu::kernels
