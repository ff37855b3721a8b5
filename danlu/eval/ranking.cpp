#include "danlu/eval/ranking.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/eval/measure_json.h"

namespace danlu::eval {
namespace {

constexpr const char* kWhere = "eval.ranking";

std::vector<bool> mark(std::span<const int64_t> items, size_t size) {
  std::vector<bool> marked(size, false);
  for (const int64_t item : items) {
    if (item < 0 || item >= static_cast<int64_t>(size)) throw ShapeError(kWhere, fmt::format("got item {} of {}", item, size));
    marked[static_cast<size_t>(item)] = true;
  }
  return marked;
}

// What is no number comes last.
float orderly(float score) { return std::isnan(score) ? -std::numeric_limits<float>::infinity() : score; }

double gain(int64_t rank) { return 1 / std::log2(1 + static_cast<double>(rank)); }

Statistic mean_of(std::vector<double> values) {
  return [values = std::move(values)](Counts counts) { return mean(values, counts); };
}

std::vector<double> ndcg_of(std::span<const RankedUser> users, int64_t k) {
  std::vector<double> values;
  for (const RankedUser& user : users) values.push_back(ndcg_at(user, k));
  return values;
}

}  // namespace

std::vector<int64_t> top_items(std::span<const float> scores, std::span<const int64_t> excluded, int64_t k) {
  const std::vector<bool> out = mark(excluded, scores.size());
  std::vector<int64_t> items;
  for (size_t i = 0; i < scores.size(); ++i) {
    if (!out[i]) items.push_back(static_cast<int64_t>(i));
  }
  const auto count = std::min<std::ptrdiff_t>(std::max<int64_t>(k, 0), std::ssize(items));
  std::partial_sort(items.begin(), items.begin() + count, items.end(), [&](int64_t a, int64_t b) {
    const float x = orderly(scores[static_cast<size_t>(a)]), y = orderly(scores[static_cast<size_t>(b)]);
    return x != y ? x > y : a < b;
  });
  items.resize(static_cast<size_t>(count));
  return items;
}

RankedUser rank(std::span<const float> scores, std::span<const int64_t> relevant, std::span<const int64_t> excluded, int64_t k) {
  const std::vector<bool> out = mark(excluded, scores.size());
  RankedUser user;
  user.relevant = std::ssize(relevant);
  user.top = top_items(scores, excluded, k);
  for (const int64_t item : relevant) {
    if (item < 0) continue;
    if (item >= std::ssize(scores) || out[static_cast<size_t>(item)]) throw ShapeError(kWhere, fmt::format("got the relevant item {}, which is not ranked", item));
    const float own = orderly(scores[static_cast<size_t>(item)]);
    int64_t above = 0;
    for (size_t i = 0; i < scores.size(); ++i) {
      const float other = orderly(scores[i]);
      above += !out[i] && (other > own || (other == own && static_cast<int64_t>(i) < item));
    }
    user.ranks.push_back(above + 1);
  }
  std::sort(user.ranks.begin(), user.ranks.end());
  return user;
}

double recall_at(const RankedUser& user, int64_t k) {
  const auto found = std::upper_bound(user.ranks.begin(), user.ranks.end(), k) - user.ranks.begin();
  return user.relevant > 0 ? static_cast<double>(found) / static_cast<double>(user.relevant) : std::numeric_limits<double>::quiet_NaN();
}

double ndcg_at(const RankedUser& user, int64_t k) {
  double sum = 0, best = 0;
  for (const int64_t rank : user.ranks) sum += rank <= k ? gain(rank) : 0;
  for (int64_t rank = 1; rank <= std::min(k, user.relevant); ++rank) best += gain(rank);
  return best > 0 ? sum / best : std::numeric_limits<double>::quiet_NaN();
}

double average_precision(const RankedUser& user) {
  double sum = 0;
  for (size_t i = 0; i < user.ranks.size(); ++i) sum += static_cast<double>(i + 1) / static_cast<double>(user.ranks[i]);
  return user.relevant > 0 ? sum / static_cast<double>(user.relevant) : std::numeric_limits<double>::quiet_NaN();
}

std::vector<std::string> ranking_metrics(int64_t k) { return {fmt::format("ndcg@{}", k), fmt::format("recall@{}", k), "map", fmt::format("coverage@{}", k)}; }

RankingReport summarize(std::span<const RankedUser> users, int64_t catalogue_size, int64_t k, const BootstrapOptions& options) {
  if (users.empty() || catalogue_size < 1) throw DataError(kWhere, "got no user to rank items for; expected at least one");
  std::vector<double> recall, precision;
  std::vector<bool> shown(static_cast<size_t>(catalogue_size), false);
  for (const RankedUser& user : users) {
    recall.push_back(recall_at(user, k));
    precision.push_back(average_precision(user));
    for (const int64_t item : user.top) shown[static_cast<size_t>(item)] = true;
  }
  const std::vector<Statistic> statistics = {mean_of(ndcg_of(users, k)), mean_of(recall), mean_of(precision)};
  const std::vector<Interval> intervals = bootstrap_intervals(std::ssize(users), statistics, options);
  const std::vector<std::string> names = ranking_metrics(k);
  RankingReport report;
  report.users = std::ssize(users);
  for (size_t i = 0; i < statistics.size(); ++i) report.metrics.push_back({names[i], statistics[i]({}), intervals[i]});
  const double coverage = static_cast<double>(std::count(shown.begin(), shown.end(), true)) / static_cast<double>(catalogue_size);
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  report.metrics.push_back({names.back(), coverage, {kNone, kNone}});
  return report;
}

PairedComparison compare_ndcg(std::span<const RankedUser> a, std::span<const RankedUser> b, int64_t k, const BootstrapOptions& options) {
  if (a.size() != b.size()) throw ShapeError(kWhere, fmt::format("got {} and {} users; expected the same", a.size(), b.size()));
  return paired_bootstrap(std::ssize(a), mean_of(ndcg_of(a, k)), mean_of(ndcg_of(b, k)), options);
}

Json to_json(const RankingReport& report) {
  Json json = Json::object();
  for (const RankingReport::Metric& m : report.metrics) json[m.name] = measure_json(m.value, "higher", m.interval);
  return json;
}

}  // namespace danlu::eval
