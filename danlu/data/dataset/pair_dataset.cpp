#include "danlu/data/dataset/pair_dataset.h"

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/dataset/epoch_rng.h"

namespace danlu::data {

PairDataset::PairDataset(std::vector<std::vector<int64_t>> texts, std::vector<TextPair> pairs, double token_dropout)
    : texts_(std::move(texts)), pairs_(std::move(pairs)), token_dropout_(token_dropout) {
  for (const TextPair& pair : pairs_) {
    for (const int64_t text : {pair.first, pair.second}) {
      if (text < 0 || text >= std::ssize(texts_)) throw ShapeError("data.dataset", fmt::format("got a pair with text {} of {}", text, texts_.size()));
    }
  }
}

void PairDataset::fill(std::span<const int64_t> indexes, Batch& batch, const Variant& variant) const {
  std::vector<std::vector<int64_t>> rows;
  size_t length = 1;
  for (const int64_t index : indexes) {
    const TextPair& pair = pairs_[static_cast<size_t>(index)];
    Rng rng = epoch_rng(variant.seed, variant.epoch, RngPurpose::augment, static_cast<uint64_t>(index));
    for (const int64_t text : {pair.first, pair.second}) {
      std::vector<int64_t>& row = rows.emplace_back(texts_[static_cast<size_t>(text)]);
      if (variant.phase == Phase::train && token_dropout_ > 0) {
        size_t left = row.size();
        std::erase_if(row, [&](int64_t) { return left > 1 && rng.uniform() < token_dropout_ && left-- > 0; });
      }
      length = std::max(length, row.size());
    }
  }
  const std::ptrdiff_t count = std::ssize(indexes), columns = static_cast<std::ptrdiff_t>(length);
  batch.x = Tensor::zeros({count, 2, columns}, Dtype::i64);
  int64_t* out = batch.x.mutable_data<int64_t>();
  for (const std::vector<int64_t>& row : rows) {
    std::copy(row.begin(), row.end(), out);
    out += columns;
  }
  prepare(batch.y, {count}, Dtype::i64);
  for (std::ptrdiff_t i = 0; i < count; ++i) batch.y.mutable_data<int64_t>()[i] = pairs_[static_cast<size_t>(indexes[static_cast<size_t>(i)])].group;
}

}  // namespace danlu::data
