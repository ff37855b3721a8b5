// How far apart two sets of samples are, by their features: the Fréchet distance of the normal distributions that fit them.
//
//   d = |m1 - m2|^2 + trace(C1 + C2 - 2 (C1^1/2 C2 C1^1/2)^1/2)
//
// It compares as its features do: distances by different features have nothing to do with each other, nor with the FID of the Inception
// network. Source: Dowson, Landau 1982; for images Heusel et al. 2017, arXiv:1706.08500.
#pragma once

#include <vector>

#include "danlu/engine/tensor/tensor.h"

namespace danlu::eval {

// Mean and covariance (of n - 1, row-major) of features.
struct Gaussian {
  std::vector<double> mean, covariance;
};

// rows: (N, F), N >= 2. Throws ShapeError for fewer. In double, in one order: the same for any number of threads.
Gaussian fit_gaussian(const Tensor& rows);

// Throws ShapeError if they have different numbers of features.
double frechet_distance(const Gaussian& a, const Gaussian& b);

// The mean distance between two different rows of (N, F), N >= 2: of samples that are all alike it is 0.
double mean_pairwise_distance(const Tensor& rows);

}  // namespace danlu::eval
