#include "danlu/learn/nn/sequence.h"

#include "danlu/engine/ops/linear.h"
#include "danlu/engine/ops/movement.h"
#include "danlu/learn/nn/embedding.h"

namespace danlu::nn {
namespace {

// Weighted sums of positions, as a product for each sequence.
Tensor weigh(const Tensor& x, const Tensor& weights) { return reshape(matmul(weights, x), {x.size(0), x.size(2)}); }

}  // namespace

Tensor lengths_of(const Tensor& ids) {
  const int64_t batch = ids.size(0), length = ids.size(1);
  Tensor lengths = Tensor::empty({batch}, Dtype::i64);
  for (int64_t n = 0; n < batch; ++n) {
    const int64_t* row = ids.data<int64_t>() + n * length;
    int64_t end = length;
    while (end > 0 && row[end - 1] == kPadding) --end;
    lengths.mutable_data<int64_t>()[n] = end;
  }
  return lengths;
}

Tensor mean_between(const Tensor& x, const Tensor& begin, const Tensor& end) {
  const int64_t batch = x.size(0), length = x.size(1);
  Tensor weights = Tensor::zeros({batch, 1, length});
  for (int64_t n = 0; n < batch; ++n) {
    const int64_t from = begin.data<int64_t>()[n], to = end.data<int64_t>()[n];
    for (int64_t t = from; t < to; ++t) weights.mutable_data()[n * length + t] = 1 / static_cast<float>(to - from);
  }
  return weigh(x, weights);
}

Tensor pick(const Tensor& x, const Tensor& at) {
  const int64_t batch = x.size(0), length = x.size(1);
  Tensor weights = Tensor::zeros({batch, 1, length});
  for (int64_t n = 0; n < batch; ++n) {
    const int64_t t = at.data<int64_t>()[n];
    if (t >= 0 && t < length) weights.mutable_data()[n * length + t] = 1;
  }
  return weigh(x, weights);
}

}  // namespace danlu::nn
