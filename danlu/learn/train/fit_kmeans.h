// Finds the centres of k-means: greedy k-means++ draws the first ones, Lloyd's iteration moves each to the mean of the samples nearest to
// it until they rest, and the best of several draws is kept. A centre that nothing is nearest to any more moves to the sample that is
// worst off.
//
// Results depend on the samples, the options and the seed, and not on the number of threads. Threads: parallel inside.
// Source    Arthur, Vassilvitskii 2007, "k-means++: The advantages of careful seeding".
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "danlu/engine/tensor/tensor.h"
#include "danlu/learn/models/kmeans.h"

namespace danlu::train {

struct KMeansFit {
  Tensor centers;                 // (clusters, numbers of a sample), that of most samples first
  std::vector<int64_t> clusters;  // of each sample
  double inertia = 0;             // sum over the samples of their squared distance from their centre
  int64_t iterations = 0;
};

// After each restart, with the fit that it came to; false ends the search there.
using KMeansWatcher = std::function<bool(const KMeansFit& fit)>;

// Throws DataError for fewer different samples than clusters, as fit_kmeans does: to be known before a run begins.
void require_different_samples(const Tensor& samples, int64_t clusters);

// samples: f32 (N, ...). Throws DataError for fewer different samples than clusters, or for a number that is not finite.
KMeansFit fit_kmeans(const Tensor& samples, int64_t clusters, const models::KMeansOptions& options, uint64_t seed, const KMeansWatcher& watch = {});

}  // namespace danlu::train
