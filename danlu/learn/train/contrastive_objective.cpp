#include "danlu/learn/train/contrastive_objective.h"

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/ops/elementwise.h"
#include "danlu/engine/ops/linear.h"
#include "danlu/engine/ops/loss.h"
#include "danlu/engine/ops/movement.h"
#include "danlu/learn/models/retriever.h"

namespace danlu::train {
namespace {

constexpr float kNever = -1e9f;

// One half of the pairs, (N, T): as long as the longest text of it.
Tensor half(const Tensor& x, int64_t which) {
  const int64_t pairs = x.size(0), columns = x.size(2);
  int64_t longest = 1;
  const auto row = [&](int64_t n) { return x.data<int64_t>() + (2 * n + which) * columns; };
  for (int64_t n = 0; n < pairs; ++n) {
    int64_t length = columns;
    while (length > longest && row(n)[length - 1] == 0) --length;
    longest = std::max(longest, length);
  }
  Tensor ids = Tensor::empty({pairs, longest}, Dtype::i64);
  for (int64_t n = 0; n < pairs; ++n) std::copy_n(row(n), longest, ids.mutable_data<int64_t>() + n * longest);
  return ids;
}

}  // namespace

Objective::Outcome ContrastiveObjective::evaluate(nn::Module& model, const data::Batch& batch) const {
  if (dynamic_cast<models::Retriever*>(&model) == nullptr) throw ConfigError("learn.train", fmt::format("got {}; expected a retriever", model.describe()));
  const int64_t count = batch.x.size(0);
  Tensor same_group = Tensor::zeros({count, count}), self = Tensor::empty({count}, Dtype::i64);
  const int64_t* group = batch.y.data<int64_t>();
  for (int64_t i = 0; i < count; ++i) {
    self.mutable_data<int64_t>()[i] = i;
    for (int64_t j = 0; j < count; ++j) {
      if (i != j && group[i] == group[j]) same_group.mutable_data()[i * count + j] = kNever;
    }
  }
  const Tensor scores = matmul(model(half(batch.x, 0)), model(half(batch.x, 1)), {.transpose_b = true}) / temperature_ + same_group;
  const Tensor loss = (cross_entropy(scores, self) + cross_entropy(transpose(scores, {1, 0}), self)) * 0.5f;
  int64_t correct = 0;
  for (int64_t i = 0; i < count; ++i) {
    const float* row = scores.data() + i * count;
    correct += std::max_element(row, row + count) - row == i;
  }
  return {loss, correct};
}

}  // namespace danlu::train
