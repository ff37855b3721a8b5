// Windows of series as samples: what a model is shown at an origin, and what happened then.
#pragma once

#include <vector>

#include "danlu/data/dataset/dataset.h"
#include "danlu/data/series/preprocess.h"

namespace danlu::data {

struct Origin {
  int64_t series = 0, period = 0;  // the first one that is foretold
};

// The origins whose horizon lies within the periods [begin, end) and whose history lies in the panel; with a value to look at, and one to
// foretell. Ordered by period.
std::vector<Origin> origins_between(const Panel& panel, const SeriesPreprocess& preprocess, int64_t begin, int64_t end, int64_t stride = 1);

// What happened from an origin on, NaN where nothing was measured.
std::vector<double> truth_at(const Panel& panel, const SeriesPreprocess& preprocess, const Origin& origin);

// x  f32 (N, length + horizon, channels): SeriesPreprocess
// y  f32 (N, horizon): what the outputs should be; NaN where nothing was measured
class SeriesDataset : public Dataset {
 public:
  // Both must outlive this.
  SeriesDataset(const Panel& panel, const SeriesPreprocess& preprocess, std::vector<Origin> origins) : panel_(panel), preprocess_(preprocess), origins_(std::move(origins)) {}
  int64_t size() const override { return static_cast<int64_t>(origins_.size()); }
  int64_t default_prefetch() const override { return 1; }

 protected:
  void fill(std::span<const int64_t> indexes, Batch& batch, const Variant& variant) const override;

 private:
  const Panel& panel_;
  const SeriesPreprocess& preprocess_;
  std::vector<Origin> origins_;
};

}  // namespace danlu::data
