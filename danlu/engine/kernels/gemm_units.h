// How the packing and the tasks of a product are divided among threads. For bf16_gemm.cpp and f16_gemm.cpp.
#pragma once

#include <atomic>
#include <cstdint>

#include "danlu/base/threads.h"

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

}  // namespace danlu::kernels
