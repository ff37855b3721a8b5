#include "danlu/data/table/impute.h"

#include <cmath>
#include <ranges>

#include "danlu/base/error.h"
#include "danlu/data/table/statistics.h"

namespace danlu::data {
namespace {

double mode_of(std::span<const double> sorted) {
  double best = sorted[0];
  size_t best_count = 0;
  for (size_t begin = 0, end = 0; begin < sorted.size(); begin = end) {
    while (end < sorted.size() && sorted[end] == sorted[begin]) ++end;
    if (end - begin > best_count) best_count = end - begin, best = sorted[begin];
  }
  return best;
}

// Each gap takes the value before it in the order of the range; the first gaps take `fill`.
void carry(auto&& values, double fill) {
  double last = fill;
  for (double& value : values) {
    if (std::isnan(value))
      value = last;
    else
      last = value;
  }
}

}  // namespace

Imputer Imputer::fit(std::span<const double> training, const std::string& method, double fill, bool ordered) {
  Imputer imputer;
  imputer.fill_ = fill;
  if (method == "ffill") imputer.direction_ = Direction::forward;
  if (method == "bfill") imputer.direction_ = Direction::backward;
  if (method == "constant") return imputer;
  const std::vector<double> sorted = sorted_present(training);
  if (sorted.empty())
    throw DataError("data.impute", "got no present value in the training rows; expected at least one");
  if (method == "mean")
    imputer.fill_ = moments_of(training).mean;
  else if (method == "mode" || !ordered)
    imputer.fill_ = mode_of(sorted);
  else
    imputer.fill_ = quantile_of(sorted, 0.5);
  return imputer;
}

void Imputer::apply(std::span<double> values) const {
  if (direction_ == Direction::forward)
    carry(values, fill_);
  else if (direction_ == Direction::backward)
    carry(values | std::views::reverse, fill_);
  else
    for (double& value : values) value = std::isnan(value) ? fill_ : value;
}

Json Imputer::to_json() const {
  const char* direction = direction_ == Direction::none      ? "none"
                          : direction_ == Direction::forward ? "forward"
                                                             : "backward";
  return {{"fill", fill_}, {"carry", direction}};
}

Imputer Imputer::from_json(const SavedState& state) {
  Imputer imputer;
  imputer.fill_ = state.number("fill");
  const std::string direction = state.word("carry", {"none", "forward", "backward"});
  if (direction != "none") imputer.direction_ = direction == "forward" ? Direction::forward : Direction::backward;
  return imputer;
}

}  // namespace danlu::data
