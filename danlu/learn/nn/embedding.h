// A vector for each of a number of tokens, sized by the vocabulary and not by the length of a text.
#pragma once

#include "danlu/learn/nn/module.h"

namespace danlu::nn {

// Of sequences of tokens, id 0 is padding: layers over sequences leave it out, so that its vector never learns.
constexpr int64_t kPadding = 0;

class Embedding : public Module {
 public:
  // Rows from N(0, deviation^2).
  Embedding(int64_t count, int64_t width, double deviation = 0.1);
  // i64 (...) to (..., width).
  Tensor forward(const Tensor& ids) override;
  std::string describe() const override;
  Tensor weight;  // (count, width)
};

// One vector for a bag of ids: the sum of theirs, each times a scale.
class EmbeddingBag : public Module {
 public:
  // Rows of zeros.
  EmbeddingBag(int64_t count, int64_t width);
  // i64 (N, K) to (N, width); every id counts once, padding too.
  Tensor forward(const Tensor& ids) override;
  // scales: f32 (N, K).
  Tensor forward(const Tensor& ids, const Tensor& scales) const;
  std::string describe() const override;
  Tensor weight;  // (count, width)
};

}  // namespace danlu::nn
