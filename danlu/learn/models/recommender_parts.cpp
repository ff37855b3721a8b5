#include "danlu/learn/models/recommender_parts.h"

#include <algorithm>

#include "danlu/engine/ops/embedding.h"
#include "danlu/engine/ops/linear.h"
#include "danlu/learn/nn/sequence.h"

namespace danlu::models {

Tensor feature_ids(const std::vector<std::vector<int64_t>>& features, int64_t owners) {
  size_t most = 1;
  for (const auto& of : features) most = std::max(most, of.size());
  Tensor ids = Tensor::zeros({owners, static_cast<int64_t>(most)}, Dtype::i64);
  for (size_t n = 0; n < features.size(); ++n) {
    for (size_t i = 0; i < features[n].size(); ++i) ids.mutable_data<int64_t>()[n * most + i] = features[n][i] + 1;
  }
  return ids;
}

Tensor mean_of_vectors(const Tensor& ids, const Tensor& weight) {
  return nn::mean_between(embedding(ids, weight), Tensor::zeros({ids.size(0)}, Dtype::i64), nn::lengths_of(ids));
}

}  // namespace danlu::models
