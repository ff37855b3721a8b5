#include "danlu/engine/ops/linear.h"

#include "danlu/engine/kernels/reference/linear.h"
#include "danlu/engine/ops/cases/op_case.h"
#include "danlu/engine/ops/op.h"

namespace danlu::cases {
namespace {

namespace reference = kernels::reference;

constexpr Tolerance kProduct{1e-4, 1e-4, 2e-4};  // sums of up to a few hundred products

void add_matmuls(std::vector<OpCase>& cases) {
  const auto add = [&](const std::string& name, const std::vector<int64_t>& batch, reference::MatmulShape s, Use use = Use::test) {
    std::vector<int64_t> a = batch, b = s.b_shared ? std::vector<int64_t>() : batch;
    a.insert(a.end(), {s.transpose_a ? s.k : s.m, s.transpose_a ? s.m : s.k});
    b.insert(b.end(), {s.transpose_b ? s.n : s.k, s.transpose_b ? s.k : s.n});
    const MatmulOptions options{s.transpose_a, s.transpose_b};
    cases.push_back({op::matmul, name, {{Shape(a)}, {Shape(b)}}, [=](const auto& in) { return matmul(in[0], in[1], options); },
                     [=](const auto& in) { return reference::matmul(s, in[0], in[1]); }, kProduct, use});
  };
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      const std::string suffix = std::string(ta ? ", A transposed" : "") + (tb ? ", B transposed" : "");
      add("ordinary" + suffix, {}, {1, 4, 6, 5, ta, tb, true});
      add("odd sizes" + suffix, {}, {1, 17, 33, 7, ta, tb, true});
      add("batches" + suffix, {2, 3}, {6, 5, 4, 3, ta, tb, false});
      add("batches of one B" + suffix, {3}, {3, 5, 4, 7, ta, tb, true});
    }
  }
  add("one element", {}, {1, 1, 1, 1, false, false, true});
  add("a row", {}, {1, 1, 17, 33, false, false, true});
  add("a column", {}, {1, 17, 1, 33, false, false, true});
  add("no rows", {}, {1, 0, 5, 3, false, false, true});
  add("no batches", {0}, {0, 4, 5, 3, false, false, true});
  add("nothing to sum", {}, {1, 3, 4, 0, false, false, true});
  add("large", {}, {1, 131, 67, 129, false, false, true});
  add("512", {}, {1, 512, 512, 512, false, false, true}, Use::bench);
}

void add_linears(std::vector<OpCase>& cases) {
  const auto add = [&](const char* name, const std::vector<int64_t>& rows, int64_t in_features, int64_t out_features, bool with_bias,
                       Activation activation, Use use = Use::test) {
    std::vector<int64_t> x = rows;
    x.push_back(in_features);
    const int64_t m = reference::product(rows);
    std::vector<Input> inputs = {{Shape(x)}, {{out_features, in_features}, normal(0.2)}, {{out_features}}};
    if (activation == Activation::relu) {  // odd multiples of 1/8 (of an odd number of features) or 1/16: never near 0
      inputs[0].values = grid(1, 0.5), inputs[1].values = grid(0.5, 0.25, 0.3), inputs[2].values = grid(0.125, 0.0625);
    }
    if (!with_bias) inputs.pop_back();
    cases.push_back({op::linear, name, inputs,
                     [=](const auto& in) { return linear(in[0], in[1], with_bias ? in[2] : Tensor(), activation); },
                     [=](const auto& in) {
                       return reference::linear(in[0], in[1], with_bias ? in[2] : Values(), m, out_features, in_features, activation);
                     },
                     kProduct, use, activation != Activation::relu});
  };
  add("ordinary", {4}, 5, 3, true, Activation::none);
  add("no bias", {4}, 5, 3, false, Activation::none);
  add("relu", {5}, 7, 9, true, Activation::relu);
  add("relu, no bias", {5}, 7, 9, false, Activation::relu);
  add("sigmoid", {17}, 33, 9, true, Activation::sigmoid);
  add("tanh", {17}, 33, 9, true, Activation::tanh);
  add("tanh, no bias", {17}, 33, 9, false, Activation::tanh);
  add("odd sizes", {17}, 33, 19, true, Activation::none);
  add("one element", {1}, 1, 1, true, Activation::none);
  add("a vector", {}, 6, 4, true, Activation::none);
  add("three axes", {2, 3}, 5, 4, true, Activation::tanh);
  add("no rows", {0}, 5, 3, true, Activation::none);
  add("no rows, sigmoid", {0}, 5, 3, true, Activation::sigmoid);
  add("large", {64}, 200, 131, true, Activation::tanh);
  add("64 x 784 -> 128, relu", {64}, 784, 128, true, Activation::relu, Use::bench);
}

}  // namespace

std::vector<OpCase> linear_cases() {
  std::vector<OpCase> cases;
  add_matmuls(cases);
  add_linears(cases);
  return cases;
}

}  // namespace danlu::cases
