// A density over a space: a mixture of one kernel around each of some points, and a broad one, the prior, over all of the space.
// A kernel is a product over the parameters: a normal distribution cut off at the ends of the unit interval, its mass over a cell for
// whole numbers, a histogram for choices. So parameters that are good only together are kept together.
#pragma once

#include <span>
#include <vector>

#include "danlu/learn/tune/space.h"

namespace danlu::tune {

class ParzenEstimator {
 public:
  // `weights`: of each point, against 1 for the prior.
  ParzenEstimator(const Space& space, std::span<const Point> points, std::span<const double> weights);

  Point sample(Rng& rng) const;
  double log_density(const Point& point) const;

 private:
  struct Kernel {
    double log_weight = 0;
    double weight = 0;
    Point center;  // the prior's is empty
  };

  double log_kernel(const Kernel& kernel, size_t parameter, double value) const;
  double sigma(const Kernel& kernel) const { return kernel.center.empty() ? 1.0 : sigma_; }

  const Space& space_;
  std::vector<Kernel> kernels_;
  double sigma_ = 1;  // of the points' kernels
};

}  // namespace danlu::tune
