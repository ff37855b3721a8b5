// How well samples fall into clusters, by Euclidean distance, as scikit-learn has it.
//
//   x: (N, features) row-major   clusters: the index of each sample's cluster, 0 to K-1; not every index need occur
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace danlu::eval {

// Of each sample (b - a) / max(a, b): a its mean distance from the others of its cluster, b that from the samples of the nearest other
// cluster. 1: far from all others; below 0: nearer to others. 0 for a sample alone in its cluster; NaN for all where there is one cluster.
// Costs N^2 distances; parallel inside, with results that do not depend on the number of threads. Throws ShapeError if the sizes do not fit.
// Source: Rousseeuw 1987, "Silhouettes: a graphical aid to the interpretation and validation of cluster analysis".
std::vector<double> silhouettes(std::span<const float> x, int64_t features, std::span<const int64_t> clusters);

// Mean over the clusters of the most similar other one: their spreads over the distance of their means. 0 is best. NaN for one cluster.
// Throws as above. Source: Davies, Bouldin 1979, "A cluster separation measure".
double davies_bouldin(std::span<const float> x, int64_t features, std::span<const int64_t> clusters);

// How far two divisions of the same samples agree: 1 wholly, 0 as by chance. Throws ShapeError unless both have one index a sample.
// Source: Hubert, Arabie 1985, "Comparing partitions".
double adjusted_rand(std::span<const int64_t> a, std::span<const int64_t> b);

}  // namespace danlu::eval
