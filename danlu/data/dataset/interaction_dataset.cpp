#include "danlu/data/dataset/interaction_dataset.h"

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/dataset/epoch_rng.h"

namespace danlu::data {
namespace {

constexpr int64_t kMostDraws = 100;  // for one item that was not met: somebody may have met nearly all

}  // namespace

InteractionDataset::InteractionDataset(std::vector<TargetedHistory> histories, const InteractionDatasetOptions& options)
    : histories_(std::move(histories)), options_(options) {
  for (size_t h = 0; h < histories_.size(); ++h) {
    const TargetedHistory& history = histories_[h];
    met_.push_back(history.items);
    std::sort(met_.back().begin(), met_.back().end());
    const auto last = static_cast<int64_t>(history.items.size()) - 1;
    const int64_t length = options_.length, step = options_.every_position ? length : 1;
    const int64_t earliest = std::max<int64_t>(history.first_target, options_.every_position ? 1 : 0);  // a sequence needs something in front
    for (int64_t end = last; end >= earliest; end -= step) {
      const int64_t begin = std::max<int64_t>(0, end - length);
      samples_.push_back({h, begin, std::max(earliest, end - step + 1), end});
    }
  }
  if (samples_.empty()) throw DataError("data.dataset", fmt::format("got {} histories with nothing in them to foretell; expected an item that stands behind another", histories_.size()));
}

std::span<const int64_t> InteractionDataset::met_before(int64_t sample) const {
  const TargetedHistory& history = histories_[samples_[static_cast<size_t>(sample)].history];
  return std::span(history.items).first(static_cast<size_t>(history.first_target));
}

void InteractionDataset::fill(std::span<const int64_t> indexes, Batch& batch, const Variant& variant) const {
  const auto count = static_cast<int64_t>(indexes.size());
  const int64_t positions = options_.every_position ? options_.length : 1, width = 1 + options_.negatives;
  prepare(batch.x, {count, 1 + options_.length}, Dtype::i64);
  prepare(batch.y, {count, positions, width}, Dtype::i64);
  const auto x = batch.x.mutable_span<int64_t>(), y = batch.y.mutable_span<int64_t>();
  std::fill(x.begin(), x.end(), 0);
  std::fill(y.begin(), y.end(), -1);
  const bool training = variant.phase == Phase::train;
  for (int64_t row = 0; row < count; ++row) {
    const int64_t index = indexes[static_cast<size_t>(row)];
    const Sample& sample = samples_[static_cast<size_t>(index)];
    const TargetedHistory& history = histories_[sample.history];
    int64_t* shown = x.data() + row * (1 + options_.length);
    *shown++ = history.user + 1;
    for (int64_t i = sample.begin; i < sample.end; ++i) *shown++ = history.items[static_cast<size_t>(i)] + 1;
    Rng rng = epoch_rng(training ? variant.seed : 0, training ? variant.epoch : 0, RngPurpose::negatives, static_cast<uint64_t>(index));
    for (int64_t target = sample.target; target <= sample.end; ++target) {
      const int64_t position = options_.every_position ? target - 1 - sample.begin : 0;
      const auto out = y.subspan(static_cast<size_t>((row * positions + position) * width), static_cast<size_t>(width));
      out[0] = history.items[static_cast<size_t>(target)];
      draw(met_[sample.history], rng, out.subspan(1));
    }
  }
}

void InteractionDataset::draw(const std::vector<int64_t>& met, Rng& rng, std::span<int64_t> out) const {
  for (int64_t& item : out) {
    for (int64_t draws = 0; draws < kMostDraws; ++draws) {
      item = rng.below(options_.items);
      if (!std::binary_search(met.begin(), met.end(), item)) break;
    }
  }
}

}  // namespace danlu::data
