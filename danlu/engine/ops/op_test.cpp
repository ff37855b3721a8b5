// Every case of every operation (engine/ops/cases), on every instruction set that this processor can run.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <set>

#include "danlu/base/threads.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/ops/cases/op_case.h"
#include "danlu/engine/ops/elementwise.h"
#include "danlu/engine/ops/op.h"

namespace danlu {
namespace {

using cases::OpCase;
using cases::Use;
using cases::Values;

struct Listed {
  std::string name;
  bool differentiable;
};

std::vector<Listed> listed_ops() {
  constexpr bool differentiable = true, not_differentiable = false;
  return {
#define OP(name, gradient) {#name, gradient},
#include "danlu/engine/ops/ops.def"
  };
}

Values to_values(const Tensor& x) {
  if (x.dtype() == Dtype::f32) return {x.span().begin(), x.span().end()};
  return {x.span<int64_t>().begin(), x.span<int64_t>().end()};
}

// The inputs of a case, as tensors that want gradients where the case has some.
std::vector<Tensor> make_inputs(const OpCase& c) {
  std::vector<Tensor> inputs;
  for (const cases::Input& input : c.inputs) {
    inputs.push_back(input.make(inputs.size() + 1));
    if (input.differentiable && input.dtype == Dtype::f32) inputs.back().set_requires_grad();
  }
  return inputs;
}

std::vector<Values> make_values(const std::vector<Tensor>& inputs) {
  std::vector<Values> values;
  for (const Tensor& input : inputs) values.push_back(to_values(input));
  return values;
}

Tensor random_like(const Tensor& y) { return cases::Input{y.shape()}.make(99); }

// What engine and reference make of one case.
struct Outcome {
  Tensor y;
  std::vector<Tensor> gradients;  // undefined for inputs without one
};

Outcome run(const OpCase& c) {
  const std::vector<Tensor> inputs = make_inputs(c);
  Outcome outcome{c.forward(inputs), {}};
  if (needs_grad(outcome.y)) backward(outcome.y, random_like(outcome.y));
  for (const Tensor& input : inputs) outcome.gradients.push_back(input.grad());
  return outcome;
}

// sum(w * reference(inputs)), whose gradient is what backward(y, w) computes.
double weighted(const OpCase& c, const std::vector<Values>& inputs, const Tensor& w) {
  const Values y = c.reference(inputs);
  double total = 0;
  for (size_t i = 0; i < y.size(); ++i) total += static_cast<double>(w.data()[i]) * y[i];
  return total;
}

// The derivative along `direction` in one input, by differences at four points: the error falls with step^4.
double derivative(const OpCase& c, std::vector<Values> inputs, size_t input, const Values& direction, const Tensor& w) {
  constexpr double kStep = 1e-3;
  const Values x = inputs[input];
  const auto at = [&](double steps) {
    for (size_t i = 0; i < x.size(); ++i) inputs[input][i] = x[i] + steps * kStep * direction[i];
    return weighted(c, inputs, w);
  };
  return (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * kStep);
}

// Derivatives of one input: of every element of a small one, of a sample of a large one, and along random directions, of
// which one wrong element anywhere disturbs all.
struct Probe {
  std::vector<Values> directions;
  Values expected;
};

Probe probe(const OpCase& c, size_t input, const std::vector<Values>& inputs, const Tensor& w) {
  constexpr size_t kAll = 64, kSample = 12, kDirections = 2;
  const size_t n = inputs[input].size();
  Probe result;
  Rng rng(5);
  for (size_t k = 0; k < std::min(n, n <= kAll ? kAll : kSample); ++k) {
    Values unit(n);
    unit[n <= kAll ? k : static_cast<size_t>(rng.below(static_cast<int64_t>(n)))] = 1;
    result.directions.push_back(std::move(unit));
  }
  for (size_t k = 0; k < kDirections && n > 0; ++k) {
    Values direction(n);
    for (double& d : direction) d = rng.uniform() < 0.5f ? -1 : 1;
    result.directions.push_back(std::move(direction));
  }
  for (const Values& direction : result.directions) result.expected.push_back(derivative(c, inputs, input, direction, w));
  return result;
}

double dot(const Values& a, const Values& b) {
  double total = 0;
  for (size_t i = 0; i < a.size(); ++i) total += a[i] * b[i];
  return total;
}

void expect_gradient(const OpCase& c, const Probe& probe, const Tensor& gradient) {
  ASSERT_TRUE(gradient.defined());
  const Values g = to_values(gradient);
  const double rms = g.empty() ? 0 : std::sqrt(dot(g, g) / static_cast<double>(g.size()));
  Values got;
  for (size_t k = 0; k < probe.directions.size(); ++k) {
    got.push_back(dot(g, probe.directions[k]));
    const double length = std::sqrt(dot(probe.directions[k], probe.directions[k]));
    const double limit = c.tolerance.gradient * (std::abs(probe.expected[k]) + rms * length) + c.tolerance.gradient_floor;
    EXPECT_LE(std::abs(got[k] - probe.expected[k]), limit) << "along direction " << k << ": " << got[k] << " against " << probe.expected[k];
  }
  const double lengths = std::sqrt(dot(got, got) * dot(probe.expected, probe.expected));
  if (lengths > 1e6 * c.tolerance.gradient_floor * c.tolerance.gradient_floor * static_cast<double>(got.size())) {
    EXPECT_NEAR(dot(got, probe.expected) / lengths, 1, 3e-6) << "cosine of the two gradients";
  }
}

bool same_bits(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() == b.defined();
  return a.shape() == b.shape() && std::memcmp(a.raw_bytes(), b.raw_bytes(), a.bytes()) == 0;
}

// Runs f(case) for the cases of one operation on each instruction set.
class Op : public testing::TestWithParam<std::string> {
 protected:
  template <class Function>
  void for_cases(const Function& f) {
    for (const OpCase& c : cases::op_cases()) {
      if (c.op != GetParam() || c.use != Use::test) continue;
      for (const kernels::Isa isa : kernels::supported_isas()) {
        SCOPED_TRACE(c.op + ", " + c.name + ", " + kernels::isa_name(isa));
        kernels::set_isa(isa);
        f(c);
      }
    }
  }
  void TearDown() override {
    kernels::set_isa(before_);
    clear_tape();
  }

 private:
  const kernels::Isa before_ = kernels::active_isa();
};

TEST_P(Op, ForwardIsTheReference) {
  for_cases([](const OpCase& c) {
    const NoGrad no_grad;
    const std::vector<Tensor> inputs = make_inputs(c);
    const Values got = to_values(c.forward(inputs)), expected = c.reference(make_values(inputs));
    ASSERT_EQ(got.size(), expected.size());
    for (size_t i = 0; i < got.size(); ++i) {
      ASSERT_TRUE(std::isfinite(got[i])) << "element " << i << " is " << got[i];
      ASSERT_NEAR(got[i], expected[i], c.tolerance.absolute + c.tolerance.relative * std::abs(expected[i])) << "element " << i;
    }
  });
}

// Divergence must stay visible: what is NaN in the reference is NaN in the engine, and nothing else is.
TEST_P(Op, ANaNReachesWhatItReachesInTheReference) {
  for_cases([](const OpCase& c) {
    const NoGrad no_grad;
    const std::vector<Tensor> inputs = make_inputs(c);
    Tensor x = inputs[0];
    if (x.numel() == 0 || !c.keeps_nan) return;
    x.mutable_data()[x.numel() / 2] = std::numeric_limits<float>::quiet_NaN();
    const Tensor y = c.forward(inputs);
    if (y.dtype() != Dtype::f32) return;
    const Values expected = c.reference(make_values(inputs));
    for (int64_t i = 0; i < y.numel(); ++i) {
      ASSERT_EQ(std::isnan(y.data()[i]), std::isnan(expected[static_cast<size_t>(i)])) << "element " << i << " is " << y.data()[i];
    }
  });
}

TEST_P(Op, GradientIsThatOfTheReference) {
  std::map<const OpCase*, std::vector<Probe>> known;  // the same for every instruction set
  for_cases([&](const OpCase& c) {
    const std::vector<Tensor> inputs = make_inputs(c);
    const Outcome outcome = run(c);
    auto& probes = known[&c];
    const std::vector<Values> values = make_values(inputs);
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!inputs[i].requires_grad() || outcome.y.dtype() != Dtype::f32) continue;
      SCOPED_TRACE("input " + std::to_string(i));
      if (probes.size() <= i) probes.resize(i + 1);
      if (probes[i].directions.empty()) probes[i] = probe(c, i, values, random_like(outcome.y));
      expect_gradient(c, probes[i], outcome.gradients[i]);
    }
  });
}

TEST_P(Op, OneThreadGivesTheBitsOfTwo) {
  const int before = num_threads();
  for_cases([](const OpCase& c) {
    set_num_threads(1);
    const Outcome one = run(c);
    set_num_threads(2);
    const Outcome two = run(c);
    EXPECT_TRUE(same_bits(one.y, two.y));
    for (size_t i = 0; i < one.gradients.size(); ++i) EXPECT_TRUE(same_bits(one.gradients[i], two.gradients[i])) << "gradient " << i;
  });
  set_num_threads(before);
}

// Twice the gradient if an operation is applied to the same inputs twice, be they leaves or results.
TEST_P(Op, AnInputUsedTwiceAccumulates) {
  for_cases([](const OpCase& c) {
    const Outcome once = run(c);
    for (const bool leaves : {true, false}) {
      SCOPED_TRACE(leaves ? "leaves" : "results");
      const std::vector<Tensor> inputs = make_inputs(c);
      std::vector<Tensor> operands = inputs;
      if (!leaves) {
        for (Tensor& x : operands) {
          if (x.requires_grad()) x = affine(x, 1, 0);
        }
      }
      const Tensor first = c.forward(operands);
      if (!needs_grad(first)) return;
      backward(add(first, c.forward(operands)), random_like(first));
      for (size_t i = 0; i < inputs.size(); ++i) {
        if (!inputs[i].requires_grad()) continue;
        const Values got = to_values(inputs[i].grad()), expected = to_values(once.gradients[i]);
        const double rms = got.empty() ? 0 : std::sqrt(dot(got, got) / static_cast<double>(got.size()));
        for (size_t k = 0; k < got.size(); ++k) {
          ASSERT_NEAR(got[k], 2 * expected[k], 1e-5 * (std::abs(expected[k]) + rms) + 1e-8) << "input " << i << ", element " << k;
        }
      }
    }
  });
}

TEST_P(Op, NoGradRecordsNothing) {
  for_cases([](const OpCase& c) {
    const NoGrad no_grad;
    EXPECT_FALSE(needs_grad(c.forward(make_inputs(c))));
  });
}

std::vector<std::string> names() {
  std::vector<std::string> result;
  for (const Listed& op : listed_ops()) result.push_back(op.name);
  return result;
}

INSTANTIATE_TEST_SUITE_P(All, Op, testing::ValuesIn(names()), [](const auto& test) { return test.param; });

TEST(OpCases, CoverEveryOperation) {
  std::set<std::string> known;
  for (const Listed& op : listed_ops()) {
    known.insert(op.name);
    bool tested = false, differentiated = false, timed = false;
    for (const OpCase& c : cases::op_cases()) {
      if (c.op != op.name) continue;
      (c.use == Use::test ? tested : timed) = true;
      for (const cases::Input& input : c.inputs) differentiated = differentiated || (c.use == Use::test && input.differentiable);
    }
    EXPECT_TRUE(tested) << op.name << " of ops.def has no case in engine/ops/cases";
    EXPECT_TRUE(timed) << op.name << " of ops.def has no case to time (Use::bench) in engine/ops/cases";
    EXPECT_TRUE(differentiated || !op.differentiable) << op.name << " is differentiable, but no case checks its gradient";
  }
  for (const OpCase& c : cases::op_cases()) EXPECT_TRUE(known.contains(c.op)) << c.op << " has cases but is not in ops.def";
}

TEST(OpCases, ExactlyTheDifferentiableOnesAreRecorded) {
  for (const Listed& op : listed_ops()) {
    for (const OpCase& c : cases::op_cases()) {
      if (c.op != op.name || c.use != Use::test) continue;
      const std::vector<Tensor> inputs = make_inputs(c);
      const bool wanted = std::any_of(inputs.begin(), inputs.end(), [](const Tensor& x) { return x.requires_grad(); });
      EXPECT_EQ(needs_grad(c.forward(inputs)), wanted && op.differentiable) << c.op << ", " << c.name;
    }
  }
  clear_tape();
}

}  // namespace
}  // namespace danlu
