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

}  // namespace danlu::nn
