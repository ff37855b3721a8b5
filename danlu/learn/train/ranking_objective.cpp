#include "danlu/learn/train/ranking_objective.h"

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/elementwise.h"
#include "danlu/engine/ops/embedding.h"
#include "danlu/engine/ops/linear.h"
#include "danlu/engine/ops/linear_cross_entropy.h"
#include "danlu/engine/ops/loss.h"
#include "danlu/engine/ops/movement.h"
#include "danlu/eval/ranking.h"
#include "danlu/learn/models/recommender.h"

namespace danlu::train {
namespace {

constexpr const char* kWhere = "learn.train";

// Where there is something to foretell, of positions laid end to end: i64 (M), and what, with the items drawn: i64 (M, 1 + S).
struct Targets {
  Tensor positions, items;
};

Targets targets_of(const Tensor& y) {
  const int64_t width = y.size(2), positions = y.numel() / width;
  std::vector<int64_t> at, items;
  for (int64_t p = 0; p < positions; ++p) {
    const int64_t* row = y.data<int64_t>() + p * width;
    if (row[0] < 0) continue;
    at.push_back(p);
    items.insert(items.end(), row, row + width);
  }
  const auto count = static_cast<int64_t>(at.size());
  return {Tensor::from(Shape{count}, std::span<const int64_t>(at)), Tensor::from(Shape{count, width}, std::span<const int64_t>(items))};
}

}  // namespace

Objective::Outcome RankingObjective::evaluate(nn::Module& model, const data::Batch& batch) const {
  auto* recommender = dynamic_cast<models::Recommender*>(&model);
  if (recommender == nullptr) throw ConfigError(kWhere, fmt::format("got {}; expected a recommender (model type {})", model.describe(), fmt::join(models::recommender_types(), ", ")));
  const Targets targets = targets_of(batch.y);
  const int64_t count = targets.items.size(0), width = targets.items.size(1);
  const Tensor all = recommender->queries(batch.x), items = recommender->items();
  const int64_t channels = all.size(2);
  const Tensor queries = embedding(targets.positions, reshape(all, {all.size(0) * all.size(1), channels}));
  if (options_.ranking_loss == "softmax") return {linear_cross_entropy(queries, items, reshape(slice(targets.items, 1, 0, 1), {count})), std::nullopt};

  const Tensor candidates = embedding(targets.items, items);  // (M, 1 + S, D)
  const Tensor scores = reshape(matmul(candidates, reshape(queries, {count, channels, 1})), {count, width});
  if (options_.ranking_loss == "sampled_softmax") return {cross_entropy(scores, Tensor::zeros({count}, Dtype::i64)), std::nullopt};
  const Tensor margins = slice(scores, 1, 0, 1) - slice(scores, 1, 1, width);
  return {bce_with_logits(margins, Tensor::full(margins.shape(), 1)), std::nullopt};
}

Validation RankingObjective::validate(nn::Module& model, data::DataLoader& loader) const {
  Validation found = Objective::validate(model, loader);
  if (held_out_ == nullptr) return found;
  const NoGrad no_grad;
  const nn::EvalMode eval(model);
  double gain = 0, hits = 0;
  int64_t count = 0;
  for (const data::Batch& batch : loader) {
    const Tensor scores = model(batch.x);
    for (int64_t row = 0; row < batch.size(); ++row, ++count) {
      const int64_t targets = batch.y.numel() / batch.size();
      const auto y = batch.y.span<int64_t>().subspan(static_cast<size_t>(row * targets), static_cast<size_t>(targets));
      const auto target = std::find_if(y.begin(), y.end(), [](int64_t item) { return item >= 0; });
      const eval::RankedUser user = eval::rank(scores.rows(row, row + 1).span(), {&*target, 1}, held_out_->met_before(batch.indexes[static_cast<size_t>(row)]), 0);
      gain += eval::ndcg_at(user, k_);
      hits += eval::recall_at(user, k_);
    }
  }
  found.measures = {{fmt::format("ndcg@{}", k_), gain / static_cast<double>(count)}, {fmt::format("recall@{}", k_), hits / static_cast<double>(count)}};
  return found;
}

int64_t RankingObjective::terms(const data::Batch& batch) const {
  const int64_t width = batch.y.size(2);
  int64_t count = 0;
  for (int64_t i = 0; i < batch.y.numel(); i += width) count += batch.y.data<int64_t>()[i] >= 0;
  return count;
}

}  // namespace danlu::train
