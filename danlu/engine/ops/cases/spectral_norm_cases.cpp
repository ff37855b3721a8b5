#include "danlu/engine/ops/spectral_norm.h"

#include <cmath>

#include "danlu/engine/kernels/reference/norm.h"
#include "danlu/engine/ops/cases/op_case.h"
#include "danlu/engine/ops/op.h"

namespace danlu::cases {
namespace {

int64_t columns_of(const Shape& weight) { return weight.numel() / weight[0]; }

// u and v are given and stay: all of the gradient.
OpCase fixed(const char* name, const Shape& weight, Use use = Use::test) {
  const int64_t columns = columns_of(weight);
  // Of one sign, so that u W v is far from 0.
  std::vector<Input> inputs = {{weight, uniform(0.2, 1)}, {{weight[0]}, uniform(0.5, 1), false}, {{columns}, uniform(0.5, 1), false}};
  return {op::spectral_norm, name, inputs,
          [](const auto& in) {
            Tensor u = in[1], v = in[2];
            return spectral_norm(in[0], u, v, 0);
          },
          [=](const auto& in) { return kernels::reference::spectral_norm(in[0], in[1], in[2], 0); }, {1e-6, 1e-4, 2e-4}, use};
}

// u and v are moved.
OpCase iterated(const char* name, const Shape& weight, int64_t iterations) {
  const int64_t columns = columns_of(weight);
  std::vector<Input> inputs = {{weight, normal(), false}, {{weight[0]}, uniform(0.5, 1), false}, {{columns}, uniform(0.5, 1), false}};
  return {op::spectral_norm, name, inputs,
          [=](const auto& in) {
            Tensor u = in[1].clone(), v = in[2].clone();
            return spectral_norm(in[0], u, v, iterations);
          },
          [=](const auto& in) { return kernels::reference::spectral_norm(in[0], in[1], in[2], iterations); }, {1e-5, 1e-4}};
}

}  // namespace

std::vector<OpCase> spectral_norm_cases() {
  return {fixed("a matrix", {5, 7}),           fixed("filters", {4, 3, 3, 2}), fixed("one row", {1, 9}), fixed("one element", {1, 1}),
          fixed("odd sizes", {17, 33}),        iterated("one iteration", {6, 11}, 1), iterated("many iterations", {17, 3, 4, 4}, 20),
          fixed("128 x 64 x 4 x 4", {128, 64, 4, 4}, Use::bench)};
}

}  // namespace danlu::cases
