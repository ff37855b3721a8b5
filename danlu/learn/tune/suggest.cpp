#include "danlu/learn/tune/suggest.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "danlu/learn/tune/parzen.h"

namespace danlu::tune {
namespace {

constexpr int64_t kRecent = 25;        // trials that count in full; older ones less and less
constexpr int64_t kMostGood = 25;
constexpr double kGoodPart = 0.1;
constexpr int kAttempts = 100;
constexpr int64_t kSmallSpace = 100'000;
// Streams of the seed.
constexpr uint64_t kRandomStream = 0, kTpeStream = uint64_t{1} << 62;

Rng stream(int64_t seed, uint64_t purpose, int64_t n) { return Rng(static_cast<uint64_t>(seed), purpose + static_cast<uint64_t>(n)); }

// What is left of a finite space. One without number needs no book-keeping.
class Untried {
 public:
  Untried(const Space& space, std::span<const Observation> tried) : size_(tune::size(space)) {
    if (size_) {
      for (const Observation& o : tried) tried_.insert(o.point);
    }
  }
  bool has(const Point& point) const { return !tried_.contains(point); }
  bool none() const { return size_ && static_cast<int64_t>(tried_.size()) >= *size_; }

 private:
  std::optional<int64_t> size_;
  std::set<Point> tried_;
};

// In order, the good ones first. Costs that are no numbers come last.
std::vector<size_t> ranked(std::span<const Observation> tried) {
  std::vector<size_t> order(tried.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const Observation &x = tried[a], &y = tried[b];
    if (x.cost.has_value() != y.cost.has_value()) return x.cost.has_value();
    if (!x.cost) return false;
    return x.rung != y.rung ? x.rung > y.rung : *x.cost < *y.cost;
  });
  return order;
}

// The weight of a trial, by how many have begun after it.
double weight_of(int64_t age, int64_t n) {
  if (age < kRecent) return 1;
  const auto older = static_cast<double>(n - kRecent);
  const double part = static_cast<double>(n - 1 - age) / std::max(older - 1, 1.0);  // 0 for the oldest
  return 1.0 / static_cast<double>(n) + part * (1 - 1.0 / static_cast<double>(n));
}

ParzenEstimator fit(const Space& space, std::span<const Observation> tried, std::vector<size_t> members) {
  std::sort(members.begin(), members.end());
  std::vector<Point> points;
  std::vector<double> weights;
  const auto n = static_cast<int64_t>(members.size());
  for (int64_t i = 0; i < n; ++i) {
    points.push_back(tried[members[static_cast<size_t>(i)]].point);
    weights.push_back(weight_of(n - 1 - i, n));
  }
  return ParzenEstimator(space, points, weights);
}

}  // namespace

std::optional<Point> suggest_random(const Space& space, int64_t seed, int64_t n, std::span<const Observation> tried) {
  const Untried untried(space, tried);
  if (untried.none()) return std::nullopt;
  Rng rng = stream(seed, kRandomStream, n);
  for (int i = 0; i < kAttempts; ++i) {
    Point point = random_point(space, rng);
    if (untried.has(point)) return point;
  }
  // Nearly all has been tried: the first of the rest.
  for (int64_t i = 0; i < std::min(grid_size(space, kSmallSpace), kSmallSpace); ++i) {
    std::optional<Point> point = suggest_grid(space, kSmallSpace, i);
    if (point && untried.has(*point)) return point;
  }
  return std::nullopt;
}

int64_t grid_size(const Space& space, int64_t points) {
  int64_t all = 1;
  for (const Parameter& parameter : space) {
    if (__builtin_mul_overflow(all, static_cast<int64_t>(parameter.grid(points).size()), &all)) return std::numeric_limits<int64_t>::max();
  }
  return all;
}

std::optional<Point> suggest_grid(const Space& space, int64_t points, int64_t n) {
  Point point(space.size());
  for (size_t p = space.size(); p-- > 0;) {
    const std::vector<double> values = space[p].grid(points);
    point[p] = values[static_cast<size_t>(n % static_cast<int64_t>(values.size()))];
    n /= static_cast<int64_t>(values.size());
  }
  return n == 0 ? std::optional(point) : std::nullopt;
}

std::optional<Point> suggest_tpe(const Space& space, const TpeOptions& options, int64_t seed, int64_t n, std::span<const Observation> tried) {
  if (static_cast<int64_t>(tried.size()) < options.startup) return suggest_random(space, seed, n, tried);
  const Untried untried(space, tried);
  if (untried.none()) return std::nullopt;
  const std::vector<size_t> order = ranked(tried);
  const auto good = static_cast<int64_t>(std::min<double>(std::ceil(kGoodPart * static_cast<double>(order.size())), kMostGood));
  const ParzenEstimator better = fit(space, tried, {order.begin(), order.begin() + good});
  const ParzenEstimator rest = fit(space, tried, {order.begin() + good, order.end()});
  Rng rng = stream(seed, kTpeStream, n);
  std::optional<Point> best;
  double best_ratio = -std::numeric_limits<double>::infinity();
  for (int64_t i = 0; i < options.candidates; ++i) {
    Point point = better.sample(rng);
    if (!untried.has(point)) continue;
    const double ratio = better.log_density(point) - rest.log_density(point);
    if (best && ratio <= best_ratio) continue;
    best = std::move(point);
    best_ratio = ratio;
  }
  return best ? best : suggest_random(space, seed, n, tried);
}

}  // namespace danlu::tune
