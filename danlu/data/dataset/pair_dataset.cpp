#include "danlu/data/dataset/pair_dataset.h"

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/dataset/epoch_rng.h"
#include "danlu/data/text/token_ids.h"

namespace danlu::data {

PairDataset::PairDataset(std::vector<std::vector<int64_t>> texts, std::vector<TextPair> pairs, double token_dropout)
    : texts_(std::move(texts)), pairs_(std::move(pairs)), token_dropout_(token_dropout) {
  for (const TextPair& pair : pairs_) {
    for (const int64_t text : {pair.first, pair.second}) {
      if (text < 0 || text >= std::ssize(texts_)) throw ShapeError("data.dataset", fmt::format("got a pair with text {}; expected an index below {}, the number of texts", text, texts_.size()));
    }
  }
}

void PairDataset::fill(std::span<const int64_t> indexes, Batch& batch, const Variant& variant) const {
  std::vector<std::vector<int64_t>> rows;
  for (const int64_t index : indexes) {
    const TextPair& pair = pairs_[static_cast<size_t>(index)];
    Rng rng = epoch_rng(variant.seed, variant.epoch, RngPurpose::augment, static_cast<uint64_t>(index));
    for (const int64_t text : {pair.first, pair.second}) {
      std::vector<int64_t>& row = rows.emplace_back(texts_[static_cast<size_t>(text)]);
      if (variant.phase == Phase::train && token_dropout_ > 0) {
        size_t left = row.size();
        std::erase_if(row, [&](int64_t) { return left > 1 && rng.uniform() < token_dropout_ && left-- > 0; });
      }
    }
  }
  std::vector<const std::vector<int64_t>*> pointers;
  for (const auto& row : rows) pointers.push_back(&row);
  const std::ptrdiff_t count = std::ssize(indexes);
  const Tensor padded = pad(pointers);
  batch.x = padded.view({count, 2, padded.size(1)});
  prepare(batch.y, {count}, Dtype::i64);
  for (std::ptrdiff_t i = 0; i < count; ++i) batch.y.mutable_data<int64_t>()[i] = pairs_[static_cast<size_t>(indexes[static_cast<size_t>(i)])].group;
}

}  // namespace danlu::data
