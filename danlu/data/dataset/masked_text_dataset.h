// Texts with some of their tokens hidden: what a masked language model is trained and measured on.
//
// Sample i is text i.   x i64 (N, T): its tokens, padded behind with 0.   y i64 (N, T): the token that was there, at the places that are
// asked for; -1 at all others.
//
// Of a text each token is asked for with the probability `rate`; where none is drawn so, one of chance.
//
// Phase::train: other places in every epoch. Of the tokens asked for, 80 % are replaced by the mask, 10 % by another of chance, and 10 % stay:
// what is seen may always be wrong, and is always worth a thought.
// Phase::evaluate: always the same places, all of them hidden.
// Source    Devlin, Chang, Lee, Toutanova 2019, arXiv:1810.04805, section 3.1.
#pragma once

#include <vector>

#include "danlu/data/dataset/dataset.h"

namespace danlu::data {

struct Masking {
  double rate = 0.15;     // in (0, 1]
  int64_t mask = 0;       // the token that stands for a hidden one
  int64_t vocab_size = 0;  // tokens are [1, vocab_size)
};

class MaskedTextDataset : public Dataset {
 public:
  // texts: the ids of each, without padding. Throws ConfigError for a rate or a mask out of range, DataError for ids out of range.
  MaskedTextDataset(std::vector<std::vector<int64_t>> texts, const Masking& masking);
  int64_t size() const override { return std::ssize(texts_); }
  int64_t default_prefetch() const override { return 1; }

 protected:
  void fill(std::span<const int64_t> indexes, Batch& batch, const Variant& variant) const override;

 private:
  std::vector<std::vector<int64_t>> texts_;
  Masking masking_;
};

}  // namespace danlu::data
