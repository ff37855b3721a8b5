#include "danlu/data/table/leak.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <unordered_map>

#include "danlu/data/table/values.h"

namespace danlu::data {
namespace {

constexpr int64_t kBins = 64;
constexpr int64_t kRowsPerBin = 10;

std::vector<int64_t> group_words(const Table& table, int64_t column, std::span<const int64_t> rows) {
  std::unordered_map<std::string_view, int64_t> index;
  std::vector<int64_t> groups;
  for (const int64_t row : rows) {
    const Cell cell = table.cell(row, column);
    // Group 0 is kept for missing cells, which the empty text must not meet.
    const auto next = static_cast<int64_t>(index.size()) + 1;
    groups.push_back(is_missing(cell) ? 0 : index.emplace(cell, next).first->second);
  }
  return groups;
}

std::vector<int64_t> group_numbers(std::span<const double> values) {
  std::vector<size_t> order;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isnan(values[i])) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  const auto present = static_cast<int64_t>(order.size());
  const int64_t bins = std::clamp<int64_t>(present / kRowsPerBin, 1, kBins);
  std::vector<int64_t> groups(values.size(), 0);
  int64_t group = 0;
  for (int64_t i = 0, end = 0; i < present; ++i) {
    const double value = values[order[static_cast<size_t>(i)]];
    const bool fresh = i == 0 || value != values[order[static_cast<size_t>(i - 1)]];
    if (fresh && i >= end) ++group, end = present * group / bins;
    groups[order[static_cast<size_t>(i)]] = group;
  }
  return groups;
}

}  // namespace

std::vector<int64_t> group_rows(const Table& table, int64_t column, ColumnType type, std::span<const int64_t> rows) {
  if (type != ColumnType::number && type != ColumnType::date) return group_words(table, column, rows);
  return group_numbers(column_numbers(table, column, rows, type, BadCell::missing));
}

double determines_class(std::span<const int64_t> groups, std::span<const int64_t> classes) {
  std::map<int64_t, int64_t> totals;
  std::map<int64_t, std::map<int64_t, int64_t>> counts;  // group -> class -> rows
  for (size_t i = 0; i < groups.size(); ++i) {
    ++totals[classes[i]];
    ++counts[groups[i]][classes[i]];
  }
  std::pair<int64_t, int64_t> common{-1, 0};  // class, rows
  for (const auto& [name, count] : totals) {
    if (count > common.second) common = {name, count};
  }
  const auto rows = static_cast<int64_t>(groups.size());
  if (common.second == rows) return 0;
  int64_t right = 0;
  for (const auto& [group, by_class] : counts) {
    for (const auto& [name, count] : by_class) {
      int64_t others = 0;
      for (const auto& [other, n] : by_class) others = other == name ? others : std::max(others, n);
      const bool alone = by_class.size() == 1 && count == 1;
      if (alone ? name == common.first : count - 1 > others) right += count;
    }
  }
  return std::max(0.0, static_cast<double>(right - common.second) / static_cast<double>(rows - common.second));
}

double determines_value(std::span<const int64_t> groups, std::span<const double> values) {
  const auto rows = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / rows;
  std::map<int64_t, std::pair<double, double>> sums;  // group -> rows, sum
  for (size_t i = 0; i < groups.size(); ++i) {
    auto& [count, sum] = sums[groups[i]];
    ++count;
    sum += values[i];
  }
  double error = 0, total = 0;
  for (size_t i = 0; i < groups.size(); ++i) {
    const auto& [count, sum] = sums[groups[i]];
    const double guess = count > 1 ? (sum - values[i]) / (count - 1) : mean;
    error += (values[i] - guess) * (values[i] - guess);
    total += (values[i] - mean) * (values[i] - mean);
  }
  return total > 0 ? std::max(0.0, 1 - error / total) : 0;
}

}  // namespace danlu::data
