// Texts as token ids with a label each; a batch is as long as its longest text.
#pragma once

#include <vector>

#include "danlu/data/dataset/dataset.h"

namespace danlu::data {

class TextDataset : public Dataset {
 public:
  // texts: the ids of each, without padding   y: i64 (N) or f32 (N, ...). Throws ShapeError if their numbers differ.
  TextDataset(std::vector<std::vector<int64_t>> texts, Tensor y);
  int64_t size() const override { return y_.size(0); }
  int64_t default_prefetch() const override { return 0; }

 protected:
  void fill(std::span<const int64_t> indexes, Batch& batch, const Variant& variant) const override;

 private:
  std::vector<std::vector<int64_t>> texts_;
  Tensor y_;
};

}  // namespace danlu::data
