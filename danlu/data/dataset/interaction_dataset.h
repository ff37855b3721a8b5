// Interactions as samples: who (and what they met before), what they chose then, and items that they did not choose.
#pragma once

#include <vector>

#include "danlu/base/rng.h"
#include "danlu/data/dataset/dataset.h"

namespace danlu::data {

struct InteractionDatasetOptions {
  int64_t items = 0;           // of the catalogue
  int64_t length = 0;          // items before that a sample shows; 0: the user alone
  bool every_position = false;  // a sample is a piece of a history, and every item in it is to be foretold from those before it
  int64_t negatives = 0;       // items for each target that the user has not met, drawn evenly
};

// The history of a user, of which the items from `first_target` on are to be foretold.
struct TargetedHistory {
  int64_t user = 0;
  std::vector<int64_t> items;
  int64_t first_target = 0;
};

// x  i64 (N, 1 + length): the user counted from 1, the items before counted from 1, and 0 behind them.
// y  i64 (N, P, 1 + negatives), P = length if every position is foretold, else 1: the item to foretell, counted from 0, and items that
//    the user met nowhere in its history. -1 where there is nothing to foretell.
//
// In Phase::train other items are drawn in every epoch; in Phase::evaluate always the same.
class InteractionDataset : public Dataset {
 public:
  // Throws DataError if there is nothing to foretell.
  InteractionDataset(std::vector<TargetedHistory> histories, const InteractionDatasetOptions& options);
  int64_t size() const override { return static_cast<int64_t>(samples_.size()); }
  int64_t default_prefetch() const override { return 1; }
  // What the user of a sample had met before the first item that its history has to foretell.
  std::span<const int64_t> met_before(int64_t sample) const;

 protected:
  void fill(std::span<const int64_t> indexes, Batch& batch, const Variant& variant) const override;

 private:
  // Items [begin, end) are shown and those of [target, end] foretold: each from the ones in front of it.
  struct Sample {
    size_t history;
    int64_t begin, target, end;
  };
  void draw(const std::vector<int64_t>& met, Rng& rng, std::span<int64_t> out) const;

  std::vector<TargetedHistory> histories_;
  std::vector<std::vector<int64_t>> met_;  // of each history, ascending
  InteractionDatasetOptions options_;
  std::vector<Sample> samples_;
};

}  // namespace danlu::data
