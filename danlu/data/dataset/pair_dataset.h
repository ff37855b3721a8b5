// Pairs of texts that belong together, as token ids: a question and a passage of its answer.
//
//   x  i64 (N, 2, T)   both texts of each pair, padded behind with 0; T is that of the longest of them
//   y  i64 (N)         the group of each pair: texts of one group say the same
//
// In Phase::train each token is left out with the probability `token_dropout`, another choice in every epoch, but for the last one that a
// text has: a question means much the same without one of its words.
#pragma once

#include <vector>

#include "danlu/data/dataset/dataset.h"

namespace danlu::data {

struct TextPair {
  int64_t first = 0, second = 0;  // indexes of texts
  int64_t group = 0;
};

class PairDataset : public Dataset {
 public:
  // texts: the ids of each, without padding. Throws ShapeError for an index outside of them.
  PairDataset(std::vector<std::vector<int64_t>> texts, std::vector<TextPair> pairs, double token_dropout = 0);
  int64_t size() const override { return static_cast<int64_t>(pairs_.size()); }
  int64_t default_prefetch() const override { return 0; }

 protected:
  void fill(std::span<const int64_t> indexes, Batch& batch, const Variant& variant) const override;

 private:
  std::vector<std::vector<int64_t>> texts_;
  std::vector<TextPair> pairs_;
  double token_dropout_;
};

}  // namespace danlu::data
