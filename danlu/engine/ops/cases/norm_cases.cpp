#include "danlu/engine/ops/norm.h"

#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/reference/language.h"
#include "danlu/engine/ops/cases/op_case.h"
#include "danlu/engine/ops/movement.h"
#include "danlu/engine/ops/op.h"

namespace danlu::cases {
namespace {

namespace reference = kernels::reference;

constexpr double kEps = 1e-5;
// Far from 0 the mean itself is only known to 6e-8 of its size.
constexpr double kFar = 1000;
constexpr Tolerance kFarNorm{2e-4, 1e-5, 1e-4, 1e-5};
Generator far_from_0() {
  return [](Rng& rng, int64_t) { return kFar + rng.normal(); };
}

constexpr Tolerance kNorm{1e-5, 1e-5, 3e-4, 1e-5};  // dx is a difference of numbers of size 1, next to nothing for few values

// x, and, if wanted, weight and bias.
std::vector<Input> inputs_for(const Shape& x, bool affine, bool bias = true) {
  std::vector<Input> inputs = {{x, normal(2)}};
  if (affine) inputs.push_back({{x[-1]}, uniform(0.5, 2)});
  if (affine && bias) inputs.push_back({{x[-1]}});
  return inputs;
}

template <class T>
T at_or_none(const std::vector<T>& inputs, size_t i) { return i < inputs.size() ? inputs[i] : T(); }

void add_batch_norms(std::vector<OpCase>& cases) {
  const auto add = [&](const char* name, const Shape& x, bool affine, const Generator& values = normal(2), Use use = Use::test,
                       bool far = false) {
    const int64_t channels = x[-1];
    std::vector<Input> inputs = inputs_for(x, affine);
    inputs[0].values = values;
    cases.push_back({op::batch_norm, name, inputs,
                     [=](const auto& in) {
                       Tensor mean = Tensor::zeros({channels}), variance = Tensor::full({channels}, 1);
                       return batch_norm(in[0], at_or_none(in, 1), at_or_none(in, 2), mean, variance);
                     },
                     [=](const auto& in) { return reference::batch_norm(in[0], channels, at_or_none(in, 1), at_or_none(in, 2), kEps); },
                     far ? kFarNorm : kNorm, use});
  };
  add("a table", {9, 4}, true);
  add("images", {2, 3, 5, 17}, true);
  add("odd sizes", {17, 33}, true);
  add("no weights", {17, 5}, false);
  add("two values", {2, 3}, true, repeat({-1.5, 2, 0.5, 1.5, -1, 3}));
  add("one channel", {33, 1}, true);
  add("above the grain", {211, 191}, true);
  add("many pieces", {1001, 19}, true);
  add("far from 0", {777, 17}, false, far_from_0(), Use::test, true);
  add("64 x 28 x 28 x 32", {64, 28, 28, 32}, true, normal(), Use::bench);
}

void add_batch_norm_evaluations(std::vector<OpCase>& cases) {
  const auto add = [&](const char* name, const Shape& x) {
    const int64_t channels = x[-1];
    std::vector<Input> inputs = inputs_for(x, true);
    inputs.push_back({{channels}, normal(), false});
    inputs.push_back({{channels}, uniform(0.5, 2), false});
    cases.push_back({op::batch_norm, name, inputs,
                     [](const auto& in) {
                       Tensor mean = in[3], variance = in[4];
                       return batch_norm(in[0], in[1], in[2], mean, variance, {.training = false});
                     },
                     [=](const auto& in) { return reference::batch_norm(in[0], channels, in[1], in[2], in[3], in[4], kEps); }, kNorm});
  };
  add("evaluation", {9, 4});
  add("evaluation, odd sizes", {17, 33});
  add("evaluation, one row", {1, 5});
  add("evaluation, empty", {0, 5});
  add("evaluation above the grain", {211, 191});
}

void add_row_norms(std::vector<OpCase>& cases) {
  const auto add = [&](const char* name, const Shape& x, bool affine, Use use = Use::test) {
    const int64_t channels = x[-1];
    cases.push_back({op::layer_norm, name, inputs_for(x, affine),
                     [](const auto& in) { return layer_norm(in[0], at_or_none(in, 1), at_or_none(in, 2)); },
                     [=](const auto& in) { return reference::layer_norm(in[0], channels, at_or_none(in, 1), at_or_none(in, 2), kEps); },
                     kNorm, use});
    cases.push_back({op::rms_norm, name, inputs_for(x, affine, false), [](const auto& in) { return rms_norm(in[0], at_or_none(in, 1)); },
                     [=](const auto& in) { return reference::rms_norm(in[0], channels, at_or_none(in, 1), kEps); }, kNorm, use});
  };
  add("ordinary", {4, 6}, true);
  add("three axes", {2, 3, 8}, true);
  add("odd sizes", {17, 33}, true);
  add("no weights", {5, 17}, false);
  add("a vector", {19}, true);
  add("one channel", {3, 1}, true);
  add("empty", {0, 5}, true);
  add("above the grain", {211, 191}, true);
  add("rows of 512", {2048, 512}, true, Use::bench);
  add("4096 x 384", {4096, 384}, true, Use::bench);
  const int64_t channels = 191;
  cases.push_back({op::layer_norm, "far from 0", {{{17, channels}, far_from_0()}}, [](const auto& in) { return layer_norm(in[0]); },
                   [=](const auto& in) { return reference::layer_norm<double>(in[0], channels, {}, {}, kEps); }, kFarNorm});
}

// Sum and normalised, one behind the other, so that the gradient reaches the sum from both.
void add_residual_norms(std::vector<OpCase>& cases) {
  const auto both = [](const std::pair<Tensor, Tensor>& result) { return concat({result.first, result.second}, 0); };
  const auto add = [&](const char* name, const Shape& x, bool affine, Use use = Use::test) {
    const int64_t n = x[-1];
    std::vector<Input> inputs = inputs_for(x, affine);
    inputs.insert(inputs.begin() + 1, {x, normal(2)});
    cases.push_back({op::add_layer_norm, name, inputs,
                     [=](const auto& in) { return both(add_layer_norm(in[0], in[1], at_or_none(in, 2), at_or_none(in, 3))); },
                     [=](const auto& in) {
                       return reference::add_norm(in[0], in[1], [&](const Values& sum) {
                         return reference::layer_norm(sum, n, at_or_none(in, 2), at_or_none(in, 3), kEps);
                       });
                     },
                     kNorm, use});
    if (affine) inputs.pop_back();
    cases.push_back({op::add_rms_norm, name, inputs, [=](const auto& in) { return both(add_rms_norm(in[0], in[1], at_or_none(in, 2))); },
                     [=](const auto& in) {
                       return reference::add_norm(in[0], in[1], [&](const Values& sum) {
                         return reference::rms_norm(sum, n, at_or_none(in, 2), kEps);
                       });
                     },
                     kNorm, use});
  };
  add("ordinary", {4, 6}, true);
  add("odd sizes", {3, 7, 33}, true);
  add("no weights", {5, 17}, false);
  add("one channel", {3, 1}, true);
  add("empty", {0, 5}, true);
  add("above the grain", {211, 191}, true);
  add("4096 x 384", {4096, 384}, true, Use::bench);
}

void add_group_norms(std::vector<OpCase>& cases) {
  const auto add = [&](const char* name, const Shape& x, int64_t groups, bool affine, Use use = Use::test) {
    const int64_t channels = x[-1], images = x[0];
    cases.push_back({op::group_norm, name, inputs_for(x, affine),
                     [=](const auto& in) { return group_norm(in[0], groups, at_or_none(in, 1), at_or_none(in, 2)); },
                     [=](const auto& in) {
                       return reference::group_norm(in[0], images, channels, groups, at_or_none(in, 1), at_or_none(in, 2), kEps);
                     },
                     kNorm, use});
  };
  add("ordinary", {2, 3, 4, 6}, 3, true);
  add("one group", {3, 5, 7}, 1, true);
  add("a group a channel", {2, 17, 5}, 5, true);
  add("no weights", {2, 3, 3, 4}, 2, false);
  add("odd sizes", {2, 17, 33}, 11, true);
  add("rows", {5, 12}, 4, true);
  add("one element", {1, 1}, 1, true);
  add("empty", {0, 4, 6}, 2, true);
  add("above the grain", {4, 13, 17, 48}, 6, true);
  add("64 x 14 x 14 x 64", {64, 14, 14, 64}, 8, true, Use::bench);
}

// A sum and an activation in the same pass.
void add_batch_norm_epilogues(std::vector<OpCase>& cases) {
  const auto add = [&](const char* name, const Shape& x, bool residual, double slope, bool training = true, Use use = Use::test) {
    const int64_t channels = x[-1];
    std::vector<Input> inputs = inputs_for(x, true);
    inputs[2].values = repeat({9, -9});  // so that no step of the finite differences crosses the kink
    if (residual) inputs.push_back({x, repeat({20, -20, -20})});
    cases.push_back({op::batch_norm, name, inputs,
                     [=](const auto& in) {
                       Tensor mean = Tensor::full({channels}, 0.25f), variance = Tensor::full({channels}, 1.5f);
                       return batch_norm(in[0], in[1], in[2], mean, variance, {.training = training, .negative_slope = static_cast<float>(slope)},
                                         at_or_none(in, 3));
                     },
                     [=](const auto& in) {
                       const Values mean(static_cast<size_t>(channels), 0.25), variance(static_cast<size_t>(channels), 1.5);
                       Values y = training ? reference::batch_norm(in[0], channels, in[1], in[2], kEps)
                                           : reference::batch_norm(in[0], channels, in[1], in[2], mean, variance, kEps);
                       for (size_t i = 0; i < y.size(); ++i) {
                         if (residual) y[i] += in[3][i];
                         if (y[i] <= 0) y[i] *= slope;
                       }
                       return y;
                     },
                     kNorm, use});
  };
  add("relu", {2, 3, 5, 17}, false, 0);
  add("leaky relu", {9, 4}, false, 0.2);
  add("residual", {2, 3, 5, 17}, true, 1);
  add("residual, relu", {33, 33}, true, 0);
  add("residual, relu, above the grain", {311, 91}, true, 0);
  add("residual, relu, evaluation", {9, 5}, true, 0, false);
  add("relu, one channel", {33, 1}, false, 0);
  add("64 x 28 x 28 x 16, residual, relu", {64, 28, 28, 16}, true, 0, true, Use::bench);
}

// After one training step: the statistics, as the result of an operation without gradients.
OpCase running_statistics() {
  const auto moved = [](const auto& in) {
    const NoGrad no_grad;
    Tensor mean = in[1].clone(), variance = in[2].clone();
    batch_norm(in[0], {}, {}, mean, variance, {.momentum = 0.25f});
    return concat({mean, variance}, 0);
  };
  const auto expected = [](const auto& in) {
    Values mean = in[1], variance = in[2];
    const auto batch = reference::moments_by(in[0], 5, [](int64_t i) { return i % 5; });
    for (size_t c = 0; c < mean.size(); ++c) {
      mean[c] = 0.75 * mean[c] + 0.25 * batch[c].mean;
      variance[c] = 0.75 * variance[c] + 0.25 * batch[c].variance * 9 / 8;
    }
    mean.insert(mean.end(), variance.begin(), variance.end());
    return mean;
  };
  return {op::batch_norm, "running statistics", {{{9, 5}, normal(), false}, {{5}, normal(), false}, {{5}, uniform(0.5, 2), false}}, moved, expected};
}

}  // namespace

std::vector<OpCase> norm_cases() {
  std::vector<OpCase> cases;
  add_batch_norms(cases);
  add_batch_norm_evaluations(cases);
  add_batch_norm_epilogues(cases);
  cases.push_back(running_statistics());
  add_row_norms(cases);
  add_residual_norms(cases);
  add_group_norms(cases);
  return cases;
}

}  // namespace danlu::cases
