#include "danlu/engine/kernels/embedding.h"

#include <algorithm>
#include <cstring>

#include "danlu/base/threads.h"
#include "danlu/engine/kernels/elementwise.h"

namespace danlu::kernels {
namespace {

constexpr int64_t kGrain = 1 << 14;  // elements
constexpr int64_t kColumns = 64;     // of dweight that a thread owns at least
constexpr int64_t kRows = 1024;      // likewise, of a bag's

// y += scale * x
void add_scaled(float scale, const float* x, float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] += scale * x[i];
}

}  // namespace

void embedding(const float* weight, const int64_t* ids, float* y, int64_t count, int64_t n) {
  parallel_for(count, kGrain / std::max<int64_t>(n, 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) std::memcpy(y + i * n, weight + ids[i] * n, static_cast<size_t>(n) * sizeof(float));
  });
}

void embedding_backward(const float* dy, const int64_t* ids, float* dweight, int64_t count, int64_t n) {
  const int64_t grain = count * n < kGrain ? n : kColumns;
  parallel_for(n, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = 0; i < count; ++i) {
      float* row = dweight + ids[i] * n;
      add(row + begin, row + begin, dy + i * n + begin, end - begin);
    }
  });
}

void embedding_bag(const float* weight, const int64_t* ids, const float* scales, float* y, int64_t bags, int64_t k, int64_t n) {
  parallel_for(bags, kGrain / std::max<int64_t>(k * n, 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      std::fill_n(y + i * n, n, 0.0f);
      for (int64_t j = i * k; j < (i + 1) * k; ++j) {
        if (scales[j] != 0) add_scaled(scales[j], weight + ids[j] * n, y + i * n, n);
      }
    }
  });
}

void embedding_bag_backward(const float* dy, const int64_t* ids, const float* scales, float* dweight, int64_t bags, int64_t k, int64_t rows, int64_t n) {
  const int64_t grain = bags * k * n < kGrain ? rows : kRows;
  parallel_for(rows, grain, [&](int64_t first, int64_t last) {
    for (int64_t i = 0; i < bags; ++i) {
      for (int64_t j = i * k; j < (i + 1) * k; ++j) {
        if (scales[j] != 0 && ids[j] >= first && ids[j] < last) add_scaled(scales[j], dy + i * n, dweight + ids[j] * n, n);
      }
    }
  });
}

void clear(float* x, int64_t n) {
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) { std::fill(x + begin, x + end, 0.0f); });
}

}  // namespace danlu::kernels
