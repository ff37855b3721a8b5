// Cases of the operations, one table for tests and benchmarks: what to call with which inputs, and what a plain reference makes
// of the same inputs in double. op_test.cpp runs every case on every instruction set and fails for an operation of ops.def
// without one; `danlu bench` times those marked Use::bench.
//
// To add an operation: a line in ops.def, a reference in engine/kernels/reference, and cases in the file of its family.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "danlu/base/rng.h"
#include "danlu/engine/tensor/tensor.h"

namespace danlu::cases {

using Values = std::vector<double>;

// The i-th element of an input.
using Generator = std::function<double(Rng& rng, int64_t i)>;

// Standard normal times a scale.
Generator normal(double scale = 1);
// In [low, high).
Generator uniform(double low, double high);
// Normal, but at least 1/32 from each of `kinks`, where the derivative jumps.
Generator away_from(std::vector<double> kinks, double scale = 1);
// Normal times a scale, rounded to a multiple of `step`, plus `offset`: for sums that are to miss a kink by a known distance.
Generator grid(double step, double offset, double scale = 1);
// All different, by at least 1/64: for maxima. Up to 65536 elements.
Generator distinct();
// A class index in [0, classes).
Generator index(int64_t classes);
// The given numbers, again and again.
Generator repeat(Values values);

struct Input {
  Shape shape;
  Generator values = normal();
  bool differentiable = true;
  Dtype dtype = Dtype::f32;

  Tensor make(uint64_t seed) const;  // the same for the same seed
};

enum class Use { test, bench };

struct Tolerance {
  double absolute = 1e-6, relative = 1e-5;  // of values: |y - reference| <= absolute + relative * |reference|
  double gradient = 1e-4;                   // of gradients: times |reference| plus the root mean square of all of them,
  double gradient_floor = 1e-7;             // plus this
};

struct OpCase {
  std::string op;    // as in ops.def
  std::string name;  // what is special about it: "odd sizes"
  std::vector<Input> inputs;
  std::function<Tensor(const std::vector<Tensor>& inputs)> forward;
  std::function<Values(const std::vector<Values>& inputs)> reference;
  Tolerance tolerance{};
  Use use = Use::test;
  bool keeps_nan = true;  // false: a NaN in the first input may be lost, as the contract says
};

const std::vector<OpCase>& op_cases();

// One function a family, each in a file of its name.
std::vector<OpCase> elementwise_cases();
std::vector<OpCase> reduce_cases();
std::vector<OpCase> movement_cases();
std::vector<OpCase> linear_cases();
std::vector<OpCase> conv_cases();
std::vector<OpCase> pool_cases();
std::vector<OpCase> norm_cases();
std::vector<OpCase> spectral_norm_cases();
std::vector<OpCase> dropout_cases();
std::vector<OpCase> softmax_cases();
std::vector<OpCase> loss_cases();
std::vector<OpCase> language_cases();
std::vector<OpCase> recurrent_cases();

inline std::vector<int64_t> sizes_of(const Shape& shape) { return {shape.sizes().begin(), shape.sizes().end()}; }

}  // namespace danlu::cases
