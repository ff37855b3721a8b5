#include "danlu/data/dataset/series_dataset.h"

#include <algorithm>
#include <cmath>

namespace danlu::data {

std::vector<double> truth_at(const Panel& panel, const SeriesPreprocess& preprocess, const Origin& origin) {
  const std::vector<double>& values = panel.series[static_cast<size_t>(origin.series)].values;
  return {values.begin() + origin.period, values.begin() + origin.period + preprocess.horizon()};
}

std::vector<Origin> origins_between(const Panel& panel, const SeriesPreprocess& preprocess, int64_t begin, int64_t end, int64_t stride) {
  std::vector<Origin> origins;
  for (int64_t period = begin; period + preprocess.horizon() <= std::min(end, panel.periods); period += stride) {
    for (int64_t series = 0; series < std::ssize(panel.series); ++series) {
      if (period - panel.series[static_cast<size_t>(series)].begin < preprocess.history()) continue;
      const Origin origin{series, period};
      const std::vector<double> truth = truth_at(panel, preprocess, origin);
      const bool foretells = std::any_of(truth.begin(), truth.end(), [](double v) { return !std::isnan(v); });
      if (foretells && preprocess.can_encode(panel, series, period)) origins.push_back(origin);
    }
  }
  return origins;
}

void SeriesDataset::fill(std::span<const int64_t> indexes, Batch& batch, const Variant& /*variant*/) const {
  const auto count = static_cast<int64_t>(indexes.size());
  prepare(batch.x, {count, preprocess_.rows(), preprocess_.channels()}, Dtype::f32);
  prepare(batch.y, {count, preprocess_.horizon()}, Dtype::f32);
  batch.first = {};
  const size_t size = static_cast<size_t>(preprocess_.rows() * preprocess_.channels());
  auto x = batch.x.mutable_span();
  float* y = batch.y.mutable_data();
  for (const int64_t index : indexes) {
    const Origin& origin = origins_[static_cast<size_t>(index)];
    const ForecastFrame frame = preprocess_.encode(panel_, origin.series, origin.period, x.first(size));
    const std::vector<double> truth = truth_at(panel_, preprocess_, origin);
    for (size_t h = 0; h < truth.size(); ++h) *y++ = static_cast<float>((truth[h] - frame.reference[h]) / frame.scale);
    x = x.subspan(size);
  }
}

}  // namespace danlu::data
