#include "danlu/data/dataset/text_dataset.h"

#include <cstring>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/text/text_preprocess.h"

namespace danlu::data {

TextDataset::TextDataset(std::vector<std::vector<int64_t>> texts, Tensor y) : texts_(std::move(texts)), y_(std::move(y)) {
  if (y_.rank() < 1 || y_.size(0) != static_cast<int64_t>(texts_.size())) {
    throw ShapeError("data.dataset", fmt::format("got {} texts and labels of shape {}; expected as many", texts_.size(), y_.shape().str()));
  }
}

void TextDataset::fill(std::span<const int64_t> indexes, Batch& batch, const Variant&) const {
  std::vector<const std::vector<int64_t>*> rows;
  for (const int64_t index : indexes) rows.push_back(&texts_[static_cast<size_t>(index)]);
  batch.x = pad(rows);
  prepare(batch.y, y_.shape().with(0, static_cast<int64_t>(indexes.size())), y_.dtype());
  int64_t row = 0;
  for (const int64_t index : indexes) {
    batch.y.rows(row, row + 1).copy_from(y_.rows(index, index + 1));
    ++row;
  }
}

}  // namespace danlu::data
