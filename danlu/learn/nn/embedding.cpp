#include "danlu/learn/nn/embedding.h"

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/ops/embedding.h"
#include "danlu/learn/nn/init.h"

namespace danlu::nn {

Embedding::Embedding(int64_t count, int64_t width, double deviation) {
  if (count < 1 || width < 1) throw ConfigError("learn.nn", fmt::format("Embedding: got {} vectors of {}; expected at least 1 of 1", count, width));
  Tensor start = Tensor::empty({count, width});
  normal(start, deviation);
  weight = add_parameter("weight", start);
}

Tensor Embedding::forward(const Tensor& ids) { return embedding(ids, weight); }

std::string Embedding::describe() const { return fmt::format("Embedding({}, {})", weight.size(0), weight.size(1)); }

EmbeddingBag::EmbeddingBag(int64_t count, int64_t width) {
  if (count < 1 || width < 1) throw ConfigError("learn.nn", fmt::format("EmbeddingBag: got {} vectors of {}; expected at least 1 of 1", count, width));
  weight = add_parameter("weight", Tensor::zeros({count, width}));
}

Tensor EmbeddingBag::forward(const Tensor& ids) { return forward(ids, Tensor::full(ids.shape(), 1)); }
Tensor EmbeddingBag::forward(const Tensor& ids, const Tensor& scales) const { return embedding_bag(ids, scales, weight); }

std::string EmbeddingBag::describe() const { return fmt::format("EmbeddingBag({}, {})", weight.size(0), weight.size(1)); }

}  // namespace danlu::nn
