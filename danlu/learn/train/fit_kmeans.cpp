#include "danlu/learn/train/fit_kmeans.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>
#include <unordered_set>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/rng.h"
#include "danlu/base/threads.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/linear.h"

namespace danlu::train {
namespace {

constexpr const char* kWhere = "learn.kmeans";
constexpr int64_t kGrain = 256;   // samples
constexpr int64_t kBlock = 8192;  // samples whose products with all centres are held at once

// In [0, 1), all 53 bits.
double uniform(Rng& rng) { return static_cast<double>(rng.next_u64() >> 11) * 0x1p-53; }

// Sum of term(0) to term(n - 1), added up in the same order whatever the number of threads.
template <class Term>
double ordered_sum(int64_t n, const Term& term) {
  std::vector<double> parts(static_cast<size_t>((n + kGrain - 1) / kGrain));
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; part += kGrain) {
      double sum = 0;
      for (int64_t i = part; i < std::min(part + kGrain, end); ++i) sum += term(i);
      parts[static_cast<size_t>(part / kGrain)] = sum;
    }
  });
  return std::accumulate(parts.begin(), parts.end(), 0.0);
}

double squared_norm(const float* row, int64_t width) {
  double sum = 0;
  for (int64_t f = 0; f < width; ++f) sum += static_cast<double>(row[f]) * static_cast<double>(row[f]);
  return sum;
}

double squared_distance(const float* a, const float* b, int64_t width) {
  double sum = 0;
  for (int64_t f = 0; f < width; ++f) {
    const double difference = static_cast<double>(a[f]) - static_cast<double>(b[f]);
    sum += difference * difference;
  }
  return sum;
}

// How many rows differ from all before them; counting ends at `enough`.
int64_t count_different(const Tensor& rows, int64_t enough) {
  std::unordered_set<std::string_view> seen;
  const auto bytes = static_cast<size_t>(rows.size(1)) * sizeof(float);
  const auto* row = reinterpret_cast<const char*>(rows.data());
  for (int64_t i = 0; i < rows.size(0) && std::ssize(seen) < enough; ++i, row += bytes) seen.emplace(row, bytes);
  return std::ssize(seen);
}

// The samples of one search, less their mean and in units of a power of two near their deviation, so that products of them keep their digits
// and are neither too large nor too small for a float.
class Search {
 public:
  Search(const Tensor& samples, int64_t clusters, const models::KMeansOptions& options)
      : options_(options), n_(samples.size(0)), width_(samples.numel() / std::max<int64_t>(samples.size(0), 1)), k_(clusters), x_(samples.view({n_, width_}).clone()) {
    mean_.resize(static_cast<size_t>(width_));
    float* x = x_.mutable_data();
    parallel_for(width_, 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = 0; i < n_; ++i) {
        for (int64_t f = begin; f < end; ++f) mean_[static_cast<size_t>(f)] += static_cast<double>(x[i * width_ + f]);
      }
      for (int64_t f = begin; f < end; ++f) mean_[static_cast<size_t>(f)] /= static_cast<double>(n_);
    });
    const double spread = ordered_sum(n_, [&](int64_t i) {
      double sum = 0;
      for (int64_t f = 0; f < width_; ++f) {
        const double difference = static_cast<double>(x[i * width_ + f]) - mean_[static_cast<size_t>(f)];
        sum += difference * difference;
      }
      return sum;
    });
    if (!std::isfinite(spread)) throw DataError(kWhere, "got samples with numbers that are not finite; expected finite ones: fill or drop them first");
    if (spread > 0) unit_ = std::ldexp(1.0, std::ilogb(std::sqrt(spread / static_cast<double>(n_ * width_))));
    norms_.resize(static_cast<size_t>(n_));
    const double squares = ordered_sum(n_, [&](int64_t i) {
      for (int64_t f = 0; f < width_; ++f) x[i * width_ + f] = static_cast<float>((static_cast<double>(x[i * width_ + f]) - mean_[static_cast<size_t>(f)]) / unit_);
      return norms_[static_cast<size_t>(i)] = squared_norm(row(i), width_);
    });
    at_rest_ = options_.tolerance * squares / static_cast<double>(n_ * width_);
    few_digits_ = 0x1p-12 * std::sqrt(static_cast<double>(width_));
    clusters_.resize(static_cast<size_t>(n_));
    distances_.resize(static_cast<size_t>(n_));
  }

  // Once, from first centres of its own.
  KMeansFit run(Rng rng) {
    Tensor centers = draw_centers(rng);
    assign(centers);
    int64_t iteration = 0;
    for (bool moves = true; moves && iteration < options_.iterations; ++iteration) {
      fill_empty_clusters();
      const Tensor moved = means();
      const double shift = ordered_sum(k_, [&](int64_t k) { return squared_distance(moved.data() + k * width_, centers.data() + k * width_, width_); });
      centers = moved;
      moves = assign(centers) && shift > at_rest_;
    }
    return in_order_of_size(centers, iteration);
  }

 private:
  const float* row(int64_t i) const { return x_.data() + i * width_; }

  // visit(i, squared distances of sample i from each centre), in parallel. Of a distance that is short beside what it is the difference of,
  // rounded products leave few digits: it is computed from the numbers themselves.
  template <class Visit>
  void for_each_sample(const Tensor& centers, const Visit& visit) const {
    const NoGrad no_grad;
    const int64_t count = centers.size(0);
    std::vector<double> norms;
    for (int64_t k = 0; k < count; ++k) norms.push_back(squared_norm(centers.data() + k * width_, width_));
    for (int64_t block = 0; block < n_; block += kBlock) {
      const int64_t rows = std::min(kBlock, n_ - block);
      const Tensor products = linear(x_.rows(block, block + rows), centers);
      parallel_for(rows, kGrain, [&](int64_t begin, int64_t end) {
        std::vector<double> distances(static_cast<size_t>(count));
        for (int64_t i = begin; i < end; ++i) {
          const float* product = products.data() + i * count;
          for (int64_t k = 0; k < count; ++k) {
            const double squares = norms_[static_cast<size_t>(block + i)] + norms[static_cast<size_t>(k)], distance = squares - 2 * static_cast<double>(product[k]);
            const bool has_digits = distance > few_digits_ * squares;
            distances[static_cast<size_t>(k)] = has_digits ? distance : squared_distance(row(block + i), centers.data() + k * width_, width_);
          }
          visit(block + i, distances);
        }
      });
    }
  }

  // The next one is drawn where samples are far from those there are: of a few such draws, the one that leaves the least distance.
  Tensor draw_centers(Rng& rng) {
    Tensor centers = Tensor::empty({k_, width_});
    put(centers, 0, rng.below(n_));
    std::vector<double>& nearest = distances_;
    for_each_sample(centers.rows(0, 1), [&](int64_t i, const std::vector<double>& d) { nearest[static_cast<size_t>(i)] = d[0]; });
    const auto draws = static_cast<int64_t>(2 + std::log(static_cast<double>(k_)));
    std::vector<double> left(static_cast<size_t>(draws * n_));  // of each draw, what every sample would be left with
    for (int64_t k = 1; k < k_; ++k) {
      std::vector<double> sums;
      std::partial_sum(nearest.begin(), nearest.end(), std::back_inserter(sums));
      Tensor candidates = Tensor::empty({draws, width_});
      std::vector<int64_t> drawn;
      for (int64_t c = 0; c < draws; ++c) {
        const auto at = std::upper_bound(sums.begin(), sums.end(), uniform(rng) * sums.back()) - sums.begin();
        drawn.push_back(std::min<int64_t>(at, n_ - 1));
        put(candidates, c, drawn.back());
      }
      for_each_sample(candidates, [&](int64_t i, const std::vector<double>& d) {
        for (int64_t c = 0; c < draws; ++c) left[static_cast<size_t>(c * n_ + i)] = std::min(nearest[static_cast<size_t>(i)], d[static_cast<size_t>(c)]);
      });
      int64_t best = 0;
      double least = HUGE_VAL;
      for (int64_t c = 0; c < draws; ++c) {
        const double sum = ordered_sum(n_, [&](int64_t i) { return left[static_cast<size_t>(c * n_ + i)]; });
        if (sum < least) least = sum, best = c;
      }
      put(centers, k, drawn[static_cast<size_t>(best)]);
      std::copy_n(left.begin() + best * n_, n_, nearest.begin());
    }
    return centers;
  }
  void put(Tensor& centers, int64_t k, int64_t sample) const { std::copy_n(row(sample), width_, centers.mutable_data() + k * width_); }

  // Each sample to its nearest centre; of several as near, the first. Whether any has changed.
  bool assign(const Tensor& centers) {
    const std::vector<int64_t> before = clusters_;
    for_each_sample(centers, [&](int64_t i, const std::vector<double>& d) {
      const auto nearest = std::min_element(d.begin(), d.end());
      clusters_[static_cast<size_t>(i)] = nearest - d.begin();
      distances_[static_cast<size_t>(i)] = *nearest;
    });
    return clusters_ != before;
  }

  std::vector<int64_t> sizes() const {
    std::vector<int64_t> sizes(static_cast<size_t>(k_));
    for (const int64_t cluster : clusters_) ++sizes[static_cast<size_t>(cluster)];
    return sizes;
  }

  void fill_empty_clusters() {
    std::vector<int64_t> size = sizes();
    for (int64_t k = 0; k < k_; ++k) {
      if (size[static_cast<size_t>(k)] > 0) continue;
      int64_t worst = -1;
      for (int64_t i = 0; i < n_; ++i) {
        const bool has_company = size[static_cast<size_t>(clusters_[static_cast<size_t>(i)])] > 1;
        if (has_company && (worst < 0 || distances_[static_cast<size_t>(i)] > distances_[static_cast<size_t>(worst)])) worst = i;
      }
      --size[static_cast<size_t>(clusters_[static_cast<size_t>(worst)])];
      ++size[static_cast<size_t>(k)];
      clusters_[static_cast<size_t>(worst)] = k;
      distances_[static_cast<size_t>(worst)] = 0;
    }
  }

  // Of the samples of each cluster, each cluster by one thread.
  Tensor means() const {
    std::vector<std::vector<int64_t>> members(static_cast<size_t>(k_));
    for (int64_t i = 0; i < n_; ++i) members[static_cast<size_t>(clusters_[static_cast<size_t>(i)])].push_back(i);
    Tensor means = Tensor::empty({k_, width_});
    float* out = means.mutable_data();
    parallel_for(k_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; ++k) {
        const auto& of_cluster = members[static_cast<size_t>(k)];
        std::vector<double> sum(static_cast<size_t>(width_));
        for (const int64_t i : of_cluster) {
          for (int64_t f = 0; f < width_; ++f) sum[static_cast<size_t>(f)] += static_cast<double>(row(i)[f]);
        }
        for (int64_t f = 0; f < width_; ++f) out[k * width_ + f] = static_cast<float>(sum[static_cast<size_t>(f)] / static_cast<double>(of_cluster.size()));
      }
    });
    return means;
  }

  // In the samples' own units and with their mean again, the largest cluster first.
  KMeansFit in_order_of_size(const Tensor& centers, int64_t iterations) const {
    const std::vector<int64_t> size = sizes();
    std::vector<int64_t> order(static_cast<size_t>(k_)), place(static_cast<size_t>(k_));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return size[static_cast<size_t>(a)] > size[static_cast<size_t>(b)]; });
    KMeansFit fit;
    fit.centers = Tensor::empty({k_, width_});
    for (int64_t to = 0; to < k_; ++to) {
      const int64_t from = order[static_cast<size_t>(to)];
      place[static_cast<size_t>(from)] = to;
      for (int64_t f = 0; f < width_; ++f) {
        fit.centers.mutable_data()[to * width_ + f] = static_cast<float>(static_cast<double>(centers.data()[from * width_ + f]) * unit_ + mean_[static_cast<size_t>(f)]);
      }
    }
    for (const int64_t cluster : clusters_) fit.clusters.push_back(place[static_cast<size_t>(cluster)]);
    fit.inertia = unit_ * unit_ * ordered_sum(n_, [&](int64_t i) { return squared_distance(row(i), centers.data() + clusters_[static_cast<size_t>(i)] * width_, width_); });
    fit.iterations = iterations;
    return fit;
  }

  const models::KMeansOptions& options_;
  int64_t n_, width_, k_;
  Tensor x_;
  std::vector<double> mean_, norms_;
  double unit_ = 1, at_rest_ = 0, few_digits_ = 0;
  std::vector<int64_t> clusters_;  // as they are at present
  std::vector<double> distances_;  // of each sample from its centre, squared
};

}  // namespace

void require_different_samples(const Tensor& samples, int64_t clusters) {
  const int64_t n = samples.size(0);
  const int64_t different = n == 0 ? 0 : count_different(samples.view({n, samples.numel() / n}), clusters);
  if (different < clusters) throw DataError(kWhere, fmt::format("got {} different samples to make {} clusters of; expected at least as many: ask for fewer clusters", different, clusters));
}

KMeansFit fit_kmeans(const Tensor& samples, int64_t clusters, const models::KMeansOptions& options, uint64_t seed, const KMeansWatcher& watch) {
  require_different_samples(samples, clusters);
  Search search(samples, clusters, options);
  KMeansFit best;
  for (int64_t restart = 0; restart < options.restarts; ++restart) {
    KMeansFit fit = search.run(Rng(seed, static_cast<uint64_t>(restart)));
    const bool goes_on = !watch || watch(fit);
    if (restart == 0 || fit.inertia < best.inertia) best = std::move(fit);
    if (!goes_on) break;
  }
  return best;
}

}  // namespace danlu::train
