// How the packing and the tasks of a product are divided among threads. For bf16_gemm.cpp and f16_gemm.cpp.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "danlu/base/threads.h"
#include "danlu/engine/kernels/small_gemm.h"

namespace danlu::kernels {

constexpr int64_t kThreadWork = int64_t{1} << 17;  // multiplications below which another thread costs more than it gains
constexpr int64_t kSharedWork = int64_t{1} << 24;
constexpr int64_t kPackWork = 8;  // multiplications that take as long as packing a number

// Calls body(i) for all i in [0, n), on one thread if they are little work. Threads take the next of much work, as a processor may be
// slower for a while, and a fixed range of less, so that they find in their caches what they left there.
template <class Body>
void for_units(int64_t n, int64_t work, const Body& body) {
  if (work < kSharedWork) {
    return parallel_for(n, work < kThreadWork ? n : 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) body(i);
    });
  }
  std::atomic<int64_t> next{0};
  parallel_for(num_threads(), 1, [&](int64_t, int64_t) {
    for (int64_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < n;) body(i);
  });
}

// Calls one(i) for all i in [0, n) and other(j) for all j in [0, m). Of little work a thread has the same part of both, which is that of the optimiser and of the
// tasks of a product too.
template <class One, class Other>
void for_both(int64_t n, int64_t m, int64_t work, const One& one, const Other& other) {
  if (work >= kSharedWork) {
    return for_units(n + m, work, [&](int64_t unit) {
      if (unit < n) one(unit);
      else other(unit - n);
    });
  }
  const int64_t parts = work < kThreadWork ? 1 : num_threads();
  parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = n * begin / parts; i < n * end / parts; ++i) one(i);
    for (int64_t j = m * begin / parts; j < m * end / parts; ++j) other(j);
  });
}

// A part of a product whose operands are packed at once: C (rows, columns) = activation(A B + start) over `depth` of k. A has rows along k or columns, a_row apart.
struct GemmChunk {
  const float* a;
  int64_t a_row;
  bool a_along_k;
  const float* b;
  int64_t rows, columns, depth;
  bool new_left, new_right;  // whether the operand is another than that of the chunk before
  float* c;
  bool accumulate;
  const float* bias;
  Activation activation;
};

inline bool a_along_k(const SmallGemm& g) { return g.a_step == 1; }
inline int64_t a_row(const SmallGemm& g) { return a_along_k(g) ? g.a_row : g.a_step; }

// Calls body(chunk) for parts of at most so many rows, columns and of k, in an order in which each sum goes along k.
template <class Body>
void for_chunks(const SmallGemm& g, int64_t most_m, int64_t most_n, int64_t most_k, const Body& body) {
  for (int64_t k = 0; k < g.k; k += most_k) {
    const int64_t depth = std::min(most_k, g.k - k);
    for (int64_t i = 0; i < g.m; i += most_m) {
      for (int64_t j = 0; j < g.n; j += most_n) {
        body(GemmChunk{.a = g.a + (a_along_k(g) ? i * a_row(g) + k : k * a_row(g) + i), .a_row = a_row(g), .a_along_k = a_along_k(g),
                       .b = g.b + (g.b_transposed ? j * g.b_row + k : k * g.b_row + j),
                       .rows = std::min(most_m, g.m - i), .columns = std::min(most_n, g.n - j), .depth = depth,
                       .new_left = j == 0, .new_right = i == 0 || most_n < g.n,
                       .c = g.c + i * g.c_row + j, .accumulate = g.accumulate || k > 0, .bias = g.bias == nullptr ? nullptr : g.bias + j,
                       .activation = k + depth == g.k ? g.activation : Activation::none});
      }
    }
  }
}

}  // namespace danlu::kernels
