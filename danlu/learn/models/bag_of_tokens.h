// The mean of what the tokens of a text mean, whatever their order, with a head.
//
//   tokens i64 (N, T), padded with 0    embedding, mean over the tokens, head
//
// A vector that is long counts for much in the mean, so that the model learns which tokens tell. It is the model of few and short texts:
// attention finds no order there that it could learn.
// Source    Iyyer et al. 2015, Deep unordered composition rivals syntactic methods for text classification.
#pragma once

#include <memory>

#include "danlu/base/options.h"
#include "danlu/learn/nn/module.h"

namespace danlu::models {

struct BagOfTokensOptions {
  int64_t vocab_size = 0;  // a recipe takes it from the tokeniser
  int64_t width = 128;
  double dropout = 0.1;
  void describe(OptionVisitor& v);
};

std::unique_ptr<nn::Module> make_bag_of_tokens(const BagOfTokensOptions& options, const Shape& input, int64_t outputs);

}  // namespace danlu::models
