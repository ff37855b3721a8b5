#include "danlu/data/dataset/masked_text_dataset.h"

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/dataset/epoch_rng.h"
#include "danlu/data/text/token_ids.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.dataset";
constexpr int64_t kNotAsked = -1;
constexpr float kMasked = 0.8f, kReplaced = 0.1f;  // of the tokens that are asked for

// The places that a text of so many tokens is asked for.
std::vector<int64_t> draw(int64_t length, double rate, Rng& rng) {
  std::vector<int64_t> places;
  for (int64_t t = 0; t < length; ++t) {
    if (rng.uniform() < static_cast<float>(rate)) places.push_back(t);
  }
  if (places.empty() && length > 0) places.push_back(rng.below(length));
  return places;
}

// What is shown in place of a token that is asked for.
int64_t disguised(int64_t token, const Masking& masking, Rng& rng) {
  const float lot = rng.uniform();
  if (lot < kMasked) return masking.mask;
  return lot < kMasked + kReplaced ? 1 + rng.below(masking.vocab_size - 1) : token;
}

}  // namespace

MaskedTextDataset::MaskedTextDataset(std::vector<std::vector<int64_t>> texts, const Masking& masking) : texts_(std::move(texts)), masking_(masking) {
  if (!(masking.rate > 0 && masking.rate <= 1)) throw ConfigError(kWhere, fmt::format("masking rate: got {}; expected more than 0 and at most 1", masking.rate));
  const auto is_token = [&](int64_t id) { return id >= 1 && id < masking.vocab_size; };
  if (!is_token(masking.mask)) throw ConfigError(kWhere, fmt::format("mask: got the token {}; expected one of 1 to {}", masking.mask, masking.vocab_size - 1));
  for (size_t i = 0; i < texts_.size(); ++i) {
    const auto bad = std::find_if_not(texts_[i].begin(), texts_[i].end(), is_token);
    if (bad != texts_[i].end()) throw DataError(kWhere, fmt::format("text {}: got the token {}; expected 1 to {}", i, *bad, masking.vocab_size - 1));
  }
}

void MaskedTextDataset::fill(std::span<const int64_t> indexes, Batch& batch, const Variant& variant) const {
  std::vector<const std::vector<int64_t>*> rows;
  for (const int64_t index : indexes) rows.push_back(&texts_[static_cast<size_t>(index)]);
  batch.x = pad(rows);
  prepare(batch.y, batch.x.shape(), Dtype::i64);
  int64_t* x = batch.x.mutable_data<int64_t>();
  int64_t* y = batch.y.mutable_data<int64_t>();
  std::fill_n(y, batch.y.numel(), kNotAsked);
  // What is measured does not depend on the seed of a run.
  const bool training = variant.phase == Phase::train;
  for (const int64_t index : indexes) {
    Rng rng = epoch_rng(training ? variant.seed : 0, training ? variant.epoch : 0, RngPurpose::masks, static_cast<uint64_t>(index));
    for (const int64_t t : draw(std::ssize(texts_[static_cast<size_t>(index)]), masking_.rate, rng)) {
      y[t] = x[t];
      x[t] = training ? disguised(x[t], masking_, rng) : masking_.mask;
    }
    x += batch.x.size(1);
    y += batch.y.size(1);
  }
}

}  // namespace danlu::data
