#include "danlu/eval/clustering.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/threads.h"

namespace danlu::eval {
namespace {

constexpr const char* kWhere = "eval.clustering";

// How many samples each cluster has. Checks the sizes.
std::vector<int64_t> count_samples(std::span<const float> x, int64_t features, std::span<const int64_t> clusters) {
  if (features < 1 || x.size() != clusters.size() * static_cast<size_t>(features)) {
    throw ShapeError(kWhere, fmt::format("got {} numbers for {} samples of {} features; expected one for each", x.size(), clusters.size(), features));
  }
  std::vector<int64_t> counts;
  for (const int64_t cluster : clusters) {
    if (cluster < 0) throw ShapeError(kWhere, fmt::format("got cluster {}; expected 0 or more", cluster));
    if (cluster >= std::ssize(counts)) counts.resize(static_cast<size_t>(cluster) + 1);
    ++counts[static_cast<size_t>(cluster)];
  }
  return counts;
}

int64_t occurring(std::span<const int64_t> counts) {
  return std::count_if(counts.begin(), counts.end(), [](int64_t count) { return count > 0; });
}

template <class A, class B>
double distance(const A* a, const B* b, int64_t features) {
  double sum = 0;
  for (int64_t f = 0; f < features; ++f) {
    const double difference = static_cast<double>(a[f]) - static_cast<double>(b[f]);
    sum += difference * difference;
  }
  return std::sqrt(sum);
}

double pairs(int64_t n) { return static_cast<double>(n) * static_cast<double>(n - 1) / 2; }

}  // namespace

std::vector<double> silhouettes(std::span<const float> x, int64_t features, std::span<const int64_t> clusters) {
  const std::vector<int64_t> counts = count_samples(x, features, clusters);
  std::vector<double> all(clusters.size(), NAN);
  if (occurring(counts) < 2) return all;
  const auto samples = std::ssize(clusters);
  parallel_for(samples, 8, [&](int64_t begin, int64_t end) {
    std::vector<double> sums(counts.size());
    for (int64_t i = begin; i < end; ++i) {
      std::fill(sums.begin(), sums.end(), 0.0);
      for (int64_t j = 0; j < samples; ++j) sums[static_cast<size_t>(clusters[static_cast<size_t>(j)])] += distance(&x[static_cast<size_t>(i * features)], &x[static_cast<size_t>(j * features)], features);
      const auto own = static_cast<size_t>(clusters[static_cast<size_t>(i)]);
      double& value = all[static_cast<size_t>(i)];
      value = 0;
      if (counts[own] == 1) continue;
      const double a = sums[own] / static_cast<double>(counts[own] - 1);
      double b = HUGE_VAL;
      for (size_t k = 0; k < counts.size(); ++k) {
        if (k != own && counts[k] > 0) b = std::min(b, sums[k] / static_cast<double>(counts[k]));
      }
      if (a != b) value = (b - a) / std::max(a, b);
    }
  });
  return all;
}

double davies_bouldin(std::span<const float> x, int64_t features, std::span<const int64_t> clusters) {
  const std::vector<int64_t> counts = count_samples(x, features, clusters);
  const auto width = static_cast<size_t>(features);
  std::vector<double> means(counts.size() * width), spreads(counts.size());
  for (size_t i = 0; i < clusters.size(); ++i) {
    for (size_t f = 0; f < width; ++f) means[static_cast<size_t>(clusters[i]) * width + f] += static_cast<double>(x[i * width + f]);
  }
  for (size_t k = 0; k < counts.size(); ++k) {
    for (size_t f = 0; f < width; ++f) means[k * width + f] /= static_cast<double>(std::max<int64_t>(counts[k], 1));
  }
  for (size_t i = 0; i < clusters.size(); ++i) {
    const auto k = static_cast<size_t>(clusters[i]);
    spreads[k] += distance(&x[i * width], &means[k * width], features) / static_cast<double>(counts[k]);
  }
  double total = 0;
  for (size_t a = 0; a < counts.size(); ++a) {
    if (counts[a] == 0) continue;
    double worst = 0;
    for (size_t b = 0; b < counts.size(); ++b) {
      if (b == a || counts[b] == 0) continue;
      const double apart = distance(&means[a * width], &means[b * width], features);
      if (apart > 0) worst = std::max(worst, (spreads[a] + spreads[b]) / apart);
    }
    total += worst;
  }
  const int64_t there = occurring(counts);
  return there < 2 ? NAN : total / static_cast<double>(there);
}

double adjusted_rand(std::span<const int64_t> a, std::span<const int64_t> b) {
  if (a.size() != b.size()) throw ShapeError(kWhere, fmt::format("got divisions of {} and {} samples; expected the same", a.size(), b.size()));
  std::map<int64_t, int64_t> of_a, of_b;
  std::map<std::pair<int64_t, int64_t>, int64_t> of_both;
  for (size_t i = 0; i < a.size(); ++i) ++of_a[a[i]], ++of_b[b[i]], ++of_both[{a[i], b[i]}];
  double together_a = 0, together_b = 0, together = 0;
  for (const auto& [cluster, count] : of_a) together_a += pairs(count);
  for (const auto& [cluster, count] : of_b) together_b += pairs(count);
  for (const auto& [both, count] : of_both) together += pairs(count);
  const double all = pairs(std::ssize(a)), by_chance = all > 0 ? together_a * together_b / all : 0, most = (together_a + together_b) / 2;
  return most == by_chance ? 1 : (together - by_chance) / (most - by_chance);
}

}  // namespace danlu::eval
