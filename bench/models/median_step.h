// The time of a training step, as the programs of this folder answer it.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "danlu/base/timer.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/matmul_precision.h"
#include "danlu/engine/kernels/reduce.h"
#include "danlu/learn/optim/optimizer.h"

namespace danlu::bench {

// Of the arguments "--matmul-precision medium"; highest without them.
inline kernels::MatmulPrecision matmul_precision(int argc, char** argv) {
  const bool medium = argc == 3 && std::string(argv[1]) == "--matmul-precision" && std::string(argv[2]) == "medium";
  return medium ? kernels::MatmulPrecision::medium : kernels::MatmulPrecision::highest;
}

// Median microseconds of so many calls of step().
template <class Step>
double median_step_us(int steps, const Step& step) {
  std::vector<double> times;
  for (int i = 0; i < steps; ++i) {
    const Timer timer;
    step();
    times.push_back(timer.seconds() * 1e6);
  }
  std::nth_element(times.begin(), times.begin() + steps / 2, times.end());
  return times[static_cast<size_t>(steps / 2)];
}

// Clear gradients, forward, backward, and an update whose gradient is clipped to a norm of 1.
template <class Loss>
void clipped_step(optim::Optimizer& optimizer, const Loss& loss) {
  optimizer.zero_grad();
  backward(loss());
  const Tensor& gradients = optimizer.store().gradients();
  const double norm = std::sqrt(kernels::sum_of_squares(gradients.data(), gradients.numel()));
  optimizer.step(norm > 1 ? static_cast<float>(1 / norm) : 1.0f);
}

}  // namespace danlu::bench
