#include "danlu/eval/nearest.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/threads.h"

namespace danlu::eval {
namespace {

int64_t squared_distance(const uint8_t* a, const uint8_t* b, int64_t n) {
  constexpr int64_t kPiece = 4096;  // whose sum fits into 32 bits
  int64_t total = 0;
  for (int64_t begin = 0; begin < n; begin += kPiece) {
    const int64_t end = std::min(begin + kPiece, n);
    int32_t sum = 0;
    for (int64_t i = begin; i < end; ++i) {
      const auto d = static_cast<int16_t>(a[i] - b[i]);
      sum += d * d;
    }
    total += sum;
  }
  return total;
}

}  // namespace

std::vector<Nearest> nearest_images(const Tensor& queries, const Tensor& set, std::span<const int64_t> among) {
  if (queries.rank() < 2 || set.rank() != queries.rank() || !(set.shape() == queries.shape().with(0, set.size(0))) || among.empty()) {
    throw ShapeError("eval.nearest", fmt::format("got images {} and {} samples of a set {}; expected images of one size, and at least one sample",
                                                 queries.shape().str(), among.size(), set.shape().str()));
  }
  const int64_t pixels = queries.shape().inner(0);
  const auto* q = queries.data<uint8_t>();
  const auto* s = set.data<uint8_t>();
  std::vector<Nearest> nearest(static_cast<size_t>(queries.size(0)));
  parallel_for(queries.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      int64_t best = std::numeric_limits<int64_t>::max();
      for (const int64_t sample : among) {
        const int64_t square = squared_distance(q + i * pixels, s + sample * pixels, pixels);
        if (square < best) best = square, nearest[static_cast<size_t>(i)].index = sample;
      }
      nearest[static_cast<size_t>(i)].distance = std::sqrt(static_cast<double>(best) / static_cast<double>(std::max<int64_t>(pixels, 1))) / 255;
    }
  });
  return nearest;
}

std::vector<int64_t> nearest_rows(const Tensor& queries, const Tensor& set) {
  if (queries.rank() != 2 || set.rank() != 2 || queries.size(1) != set.size(1) || set.size(0) == 0) {
    throw ShapeError("eval.nearest", fmt::format("got rows {} and a set {}; expected (Q, F) and (N, F) with at least one row", queries.shape().str(), set.shape().str()));
  }
  const int64_t features = set.size(1);
  std::vector<int64_t> nearest(static_cast<size_t>(queries.size(0)));
  parallel_for(queries.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      double best = std::numeric_limits<double>::infinity();
      const float* q = queries.data() + i * features;
      const float* s = set.data();
      for (int64_t k = 0; k < set.size(0); ++k, s += features) {
        double square = 0;
        for (int64_t j = 0; j < features; ++j) square += static_cast<double>(q[j] - s[j]) * static_cast<double>(q[j] - s[j]);
        if (square < best) best = square, nearest[static_cast<size_t>(i)] = k;
      }
    }
  });
  return nearest;
}

}  // namespace danlu::eval
