#include "danlu/compress/pick.h"

#include <algorithm>
#include <numeric>

namespace danlu::compress {

Tensor pick(const Tensor& x, int axis, const Indexes& rows) {
  const int64_t outer = x.shape().outer(axis), n = x.size(axis), inner = x.numel() / std::max<int64_t>(outer * n, 1);
  Tensor y = Tensor::empty(x.shape().with(axis, std::ssize(rows)));
  float* out = y.mutable_data();
  for (int64_t o = 0; o < outer; ++o) {
    for (const int64_t row : rows) out = std::copy_n(x.data() + (o * n + row) * inner, inner, out);
  }
  return y;
}

Indexes largest(const std::vector<double>& scores, int64_t count) {
  Indexes order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return scores[static_cast<size_t>(a)] > scores[static_cast<size_t>(b)]; });
  order.resize(static_cast<size_t>(count));
  std::sort(order.begin(), order.end());
  return order;
}

}  // namespace danlu::compress
