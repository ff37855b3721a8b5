#include "danlu/data/dataset/text_dataset.h"

#include <cstring>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/dataset/epoch_rng.h"
#include "danlu/data/text/token_ids.h"

namespace danlu::data {

TextDataset::TextDataset(std::vector<std::vector<int64_t>> texts, Tensor y, double token_dropout)
    : texts_(std::move(texts)), y_(std::move(y)), token_dropout_(token_dropout) {
  if (y_.rank() < 1 || y_.size(0) != static_cast<int64_t>(texts_.size())) {
    throw ShapeError("data.dataset", fmt::format("got {} texts and labels of shape {}; expected as many", texts_.size(), y_.shape().str()));
  }
}

void TextDataset::fill(std::span<const int64_t> indexes, Batch& batch, const Variant& variant) const {
  std::vector<const std::vector<int64_t>*> rows;
  std::vector<std::vector<int64_t>> varied;
  if (variant.phase == Phase::train && token_dropout_ > 0) {
    for (const int64_t index : indexes) {
      varied.push_back(texts_[static_cast<size_t>(index)]);
      Rng rng = epoch_rng(variant.seed, variant.epoch, RngPurpose::augment, static_cast<uint64_t>(index));
      std::erase_if(varied.back(), [&](int64_t) { return rng.uniform() < token_dropout_; });
    }
    for (const auto& text : varied) rows.push_back(&text);
  } else {
    for (const int64_t index : indexes) rows.push_back(&texts_[static_cast<size_t>(index)]);
  }
  batch.x = pad(rows);
  prepare(batch.y, y_.shape().with(0, static_cast<int64_t>(indexes.size())), y_.dtype());
  int64_t row = 0;
  for (const int64_t index : indexes) {
    batch.y.rows(row, row + 1).copy_from(y_.rows(index, index + 1));
    ++row;
  }
}

}  // namespace danlu::data
