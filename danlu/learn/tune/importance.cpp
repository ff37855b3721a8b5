#include "danlu/learn/tune/importance.h"

#include <algorithm>
#include <map>

namespace danlu::tune {
namespace {

constexpr size_t kFewest = 4;   // trials
constexpr size_t kGroups = 4;   // of a range

// Ranks from 0; equal values share the mean of theirs.
std::vector<double> ranks(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> result(values.size());
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin + 1;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (size_t i = begin; i < end; ++i) result[order[i]] = static_cast<double>(begin + end - 1) / 2;
    begin = end;
  }
  return result;
}

// The group of each trial.
std::vector<size_t> groups(const Parameter& parameter, std::span<const double> values) {
  std::vector<size_t> group;
  if (parameter.kind() == Parameter::Kind::choice) {
    for (const double value : values) group.push_back(static_cast<size_t>(value));
    return group;
  }
  const size_t wanted = std::min(kGroups, values.size() / 2);
  for (const double rank : ranks(values)) group.push_back(static_cast<size_t>(rank * static_cast<double>(wanted) / static_cast<double>(values.size())));
  return group;
}

double epsilon_squared(const std::vector<size_t>& group, const std::vector<double>& y) {
  struct Sum { double count = 0, sum = 0; };
  std::map<size_t, Sum> sums;
  double mean = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    sums[group[i]].count += 1;
    sums[group[i]].sum += y[i];
    mean += y[i] / static_cast<double>(y.size());
  }
  double total = 0, between = 0;
  for (const double value : y) total += (value - mean) * (value - mean);
  for (const auto& [unused, s] : sums) between += s.count * (s.sum / s.count - mean) * (s.sum / s.count - mean);
  const auto n = static_cast<double>(y.size()), k = static_cast<double>(sums.size());
  if (total <= 0 || n <= k) return 0;
  const double within = (total - between) / (n - k);
  return std::clamp((between - (k - 1) * within) / total, 0.0, 1.0);
}

}  // namespace

std::vector<double> importance(const Space& space, std::span<const Point> points, std::span<const double> costs) {
  std::vector<double> result(space.size(), 0.0);
  if (points.size() < kFewest) return result;
  const std::vector<double> y = ranks(costs);
  for (size_t p = 0; p < space.size(); ++p) {
    std::vector<double> values;
    for (const Point& point : points) values.push_back(point[p]);
    result[p] = epsilon_squared(groups(space[p], values), y);
  }
  return result;
}

}  // namespace danlu::tune
