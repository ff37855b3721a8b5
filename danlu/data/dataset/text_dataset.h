// Texts as token ids with a label each; a batch is as long as its longest text.
//
// In Phase::train each token is left out with the probability `token_dropout`, another choice in every epoch: a text means the same
// without one of its words, and a model that has seen that relies on no single one.
// Source of the idea: Iyyer et al. 2015, Deep Unordered Composition Rivals Syntactic Methods for Text Classification.
#pragma once

#include <vector>

#include "danlu/data/dataset/dataset.h"

namespace danlu::data {

class TextDataset : public Dataset {
 public:
  // texts: the ids of each, without padding   y: i64 (N) or f32 (N, ...). Throws ShapeError if their numbers differ.
  TextDataset(std::vector<std::vector<int64_t>> texts, Tensor y, double token_dropout = 0);
  int64_t size() const override { return y_.size(0); }
  int64_t default_prefetch() const override { return 0; }

 protected:
  void fill(std::span<const int64_t> indexes, Batch& batch, const Variant& variant) const override;

 private:
  std::vector<std::vector<int64_t>> texts_;
  Tensor y_;
  double token_dropout_;
};

}  // namespace danlu::data
