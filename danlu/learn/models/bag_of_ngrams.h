// A linear model over the n-grams of a text: for classes and numbers of texts.
//
//   ids i64 (N, T), padded with 0    TF-IDF: an n-gram that a text has n times weighs (1 + ln n) idf, and the weights of a text have the
//   Euclidean norm 1; then one linear layer
//
// What single words and pairs of them say is learnt from few examples and in seconds; an order beyond the longest n-gram is not seen.
// The idf of each n-gram is a buffer, to be set from the training texts (data/text/ngrams.h); before, all are 1.
// Source    Salton, Buckley 1988, Term-weighting approaches in automatic text retrieval; Joachims 1998, Text categorization with support
//           vector machines. Squared hinge loss and L2-normalised TF-IDF are LIBLINEAR's usual: Fan et al. 2008.
#pragma once

#include <memory>

#include "danlu/base/options.h"
#include "danlu/learn/nn/module.h"

namespace danlu::models {

struct BagOfNgramsOptions {
  int64_t vocab_size = 0;  // a recipe takes it from the n-grams
  void describe(OptionVisitor& v);
};

// Its one buffer, f32 (vocab_size).
inline constexpr const char* kIdf = "idf";

std::unique_ptr<nn::Module> make_bag_of_ngrams(const BagOfNgramsOptions& options, const Shape& input, int64_t outputs);

}  // namespace danlu::models
