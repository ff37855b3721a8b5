#include "danlu/engine/autograd/tape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "danlu/base/error.h"
#include "danlu/engine/tensor/allocator.h"

namespace danlu {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The operations that these tests need, in the words that authors of operations use: those of engine/ops stand above this room.
Tensor scaled(const Tensor& x, float factor) {
  Tensor y = Tensor::empty(x.shape());
  for (int64_t i = 0; i < x.numel(); ++i) y.mutable_data()[i] = factor * x.data()[i];
  return y;
}

Tensor scale(const Tensor& x, float factor) {
  Tensor y = scaled(x, factor);
  if (recording(x)) {
    record("scale", y, {&x}, [factor](GradContext& context) { context.add(0, scaled(context.dy(), factor)); });
  }
  return y;
}

Tensor times(const Tensor& a, const Tensor& b) {
  Tensor y = scaled(a, 1);
  for (int64_t i = 0; i < a.numel(); ++i) y.mutable_data()[i] *= b.data()[i];
  if (recording(a, b)) {
    record("times", y, {&a, &b}, [a = Saved(a), b = Saved(b)](GradContext& context) {
      const auto product = [&](const Tensor& other) {
        Tensor result = scaled(context.dy(), 1);
        for (int64_t i = 0; i < result.numel(); ++i) result.mutable_data()[i] *= other.data()[i];
        return result;
      };
      if (context.needs(0)) context.add(0, product(b.get()));
      if (context.needs(1)) context.add(1, product(a.get()));
    });
  }
  return y;
}

// Hands its dy on to both inputs: the buffer is shared by two gradients.
Tensor plus(const Tensor& a, const Tensor& b) {
  Tensor y = scaled(a, 1);
  for (int64_t i = 0; i < a.numel(); ++i) y.mutable_data()[i] += b.data()[i];
  if (recording(a, b)) {
    record("plus", y, {&a, &b}, [](GradContext& context) {
      context.add(0, context.dy());
      context.add(1, context.dy());
    });
  }
  return y;
}

// Writes its gradient through GradContext::target.
Tensor copy(const Tensor& x) {
  Tensor y = scaled(x, 1);
  if (recording(x)) {
    record("copy", y, {&x}, [](GradContext& context) {
      auto target = context.target(0);
      for (int64_t i = 0; i < target.gradient.numel(); ++i) {
        float& g = target.gradient.mutable_data()[i];
        g = context.dy().data()[i] + (target.accumulate ? g : 0.0f);
      }
    });
  }
  return y;
}

Tensor leaf(float value) {
  Tensor x = Tensor::from({1}, {value});
  x.set_requires_grad();
  return x;
}

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Tape, FollowsAChain) {
  const Tensor x = leaf(3);
  backward(scale(times(x, x), 5));
  EXPECT_THAT(x.grad().to_vector(), ElementsAre(30));
}

TEST(Tape, AddsBothArmsOfADiamond) {
  const Tensor x = leaf(3), stem = scale(x, 2);
  backward(plus(times(stem, stem), scale(stem, 7)));  // 4 x^2 + 14 x
  EXPECT_THAT(x.grad().to_vector(), ElementsAre(8 * 3 + 14));
}

TEST(Tape, ASharedGradientIsNotChangedThroughOneOfItsOwners) {
  const Tensor a = leaf(1), b = leaf(1);
  const Tensor left = scale(a, 1), right = scale(b, 1);
  // dy of `plus` becomes the gradient of left and of right; left gets more, right must not see it.
  const Tensor both = plus(left, right), more = scale(left, 10);
  backward(plus(both, more));
  EXPECT_THAT(a.grad().to_vector(), ElementsAre(11));
  EXPECT_THAT(b.grad().to_vector(), ElementsAre(1));
}

TEST(Tape, TheSameLeafTwiceInOneOperation) {
  const Tensor x = leaf(3);
  backward(plus(x, x));
  EXPECT_THAT(x.grad().to_vector(), ElementsAre(2));
}

TEST(Tape, TargetOverwritesFirstAndAccumulatesThen) {
  const Tensor x = leaf(3), stem = scale(x, 2);
  backward(plus(plus(copy(stem), copy(stem)), plus(copy(x), copy(x))));
  EXPECT_THAT(x.grad().to_vector(), ElementsAre(2 * 2 + 2));
}

TEST(Tape, LeavesAccumulateFromStepToStepUntilZeroGrad) {
  Tensor x = leaf(3);
  backward(scale(x, 2));
  backward(scale(x, 5));
  EXPECT_THAT(x.grad().to_vector(), ElementsAre(7));
  const float* buffer = x.grad().data();
  x.zero_grad();
  backward(copy(x));
  EXPECT_THAT(x.grad().to_vector(), ElementsAre(1)) << "a stale gradient is overwritten";
  x.zero_grad();
  backward(plus(scale(x, 2), scale(x, 3)));
  EXPECT_THAT(x.grad().to_vector(), ElementsAre(5));
  EXPECT_EQ(x.grad().data(), buffer) << "in the same memory";
}

TEST(Tape, WhatLeadsNowhereIsNotComputed) {
  const Tensor x = leaf(3), constant = Tensor::from({1}, {4});
  bool ran = false;
  Tensor dead = scaled(x, 1);
  record("dead", dead, {&x}, [&](GradContext&) { ran = true; });
  backward(times(x, constant));
  EXPECT_FALSE(ran);
  EXPECT_THAT(x.grad().to_vector(), ElementsAre(4));
  EXPECT_FALSE(constant.grad().defined());
}

TEST(Tape, NoGradRecordsNothingAndEnds) {
  const Tensor x = leaf(3);
  {
    const NoGrad outer;
    {
      const NoGrad inner;
    }
    EXPECT_FALSE(grad_enabled());
    EXPECT_FALSE(needs_grad(scale(x, 2)));
  }
  EXPECT_TRUE(grad_enabled());
  const Tensor y = scale(x, 2);
  EXPECT_TRUE(needs_grad(y));
  clear_tape();
  EXPECT_FALSE(needs_grad(y)) << "what was cleared is a constant";
}

TEST(Tape, DetachStopsTheGradient) {
  const Tensor x = leaf(3);
  backward(plus(scale(x, 2), scale(x, 5).detach()));
  EXPECT_THAT(x.grad().to_vector(), ElementsAre(2));
}

TEST(Tape, AnySeedGradient) {
  Tensor x = Tensor::from({2}, {1, 2});
  x.set_requires_grad();
  backward(scale(x, 3), Tensor::from({2}, {1, 10}));
  EXPECT_THAT(x.grad().to_vector(), ElementsAre(3, 30));
}

TEST(Tape, WrongStartsAreNamed) {
  Tensor x = Tensor::from({2}, {1, 2});
  EXPECT_THAT(message_of([&] { backward(x); }), HasSubstr("[engine.autograd] got a loss of shape (2,); expected one element"));
  EXPECT_THAT(message_of([] { backward(Tensor::scalar(1)); }), HasSubstr("computed from nothing that requires a gradient"));
  x.set_requires_grad();
  EXPECT_THAT(message_of([&] { backward(scale(x, 2), Tensor::zeros({3})); }), HasSubstr("got a gradient of shape (3,); expected (2,)"));
  clear_tape();
}

TEST(Tape, ASecondBackwardFindsNothing) {
  const Tensor x = leaf(3), y = scale(x, 2);
  backward(y);
  EXPECT_THROW(backward(y), ShapeError);
}

TEST(Tape, AnOverwrittenSavedTensorIsNoticed) {
  const Tensor x = leaf(3);
  Tensor factor = Tensor::from({1}, {4});
  const Tensor y = times(x, factor);
  factor.fill(5);
  EXPECT_THAT(message_of([&] { backward(y); }), HasSubstr("a tensor of shape (1,) that backward needs was overwritten"));
  backward(scale(x, 2));  // the failed pass left nothing behind
  EXPECT_THAT(x.grad().to_vector(), ElementsAre(2));
}

TEST(Tape, CheckFiniteNamesTheOperation) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const Tensor x = leaf(3);
  {
    const CheckFinite check;
    EXPECT_THAT(message_of([&] { scale(scale(x, 2), kInfinity); }), HasSubstr("the output of scale is inf at element 0 of shape (1,)"));
    clear_tape();
    const Tensor zero = leaf(0);
    Tensor root = scaled(zero, 1);
    record("root", root, {&zero}, [](GradContext& context) { context.add(0, Tensor::full({1}, NAN)); });
    EXPECT_THAT(message_of([&] { backward(root); }), HasSubstr("a gradient of root is nan"));
  }
  EXPECT_EQ(message_of([&] { scale(x, kInfinity); }), "nothing was thrown");
  clear_tape();
}

TEST(Tape, ReleasesEverythingAfterBackward) {
  const Tensor x = leaf(3);
  const auto step = [&] {
    Tensor y = x;
    for (int i = 0; i < 100; ++i) y = times(scale(y, 1), y.detach());
    backward(y);
  };
  step();
  const int64_t before = allocator_stats().active_bytes;
  step();
  EXPECT_EQ(allocator_stats().active_bytes, before);
  {
    const Tensor y = scale(x, 2);
    EXPECT_GT(allocator_stats().active_bytes, before);
  }
  clear_tape();
  EXPECT_EQ(allocator_stats().active_bytes, before);
}

TEST(Tape, MemoryFallsDuringBackward) {
  Tensor x = Tensor::zeros({1 << 16});
  x.set_requires_grad();
  Tensor y = x;
  int64_t first = -1, last = 0;
  for (int i = 0; i < 8; ++i) {
    const Tensor input = y;
    y = scaled(input, 1);
    record("keep", y, {&input}, [&first, &last, kept = Saved(input)](GradContext& context) {
      last = allocator_stats().active_bytes;
      if (first < 0) first = last;
      context.add(0, scaled(context.dy(), 1));
    });
  }
  Tensor dy = Tensor::zeros(y.shape());
  y = scale(y, 1);
  backward(y, std::move(dy));
  EXPECT_LT(last, first - 4 * (1 << 18)) << "what an entry saved goes as the loop passes it";
}

TEST(Tape, ASteadyStepAsksTheSystemForNothing) {
  Tensor x = Tensor::zeros({300});
  x.set_requires_grad();
  const auto step = [&] {
    x.zero_grad();
    Tensor y = x;
    for (int i = 0; i < 2000; ++i) y = times(scale(y, 0.5f), y);  // more state than one block of the arena holds
    backward(y, Tensor::full({300}, 1));
  };
  step();
  step();
  const int64_t before = allocator_stats().system_allocations;
  for (int i = 0; i < 3; ++i) step();
  EXPECT_EQ(allocator_stats().system_allocations, before);
}

}  // namespace
}  // namespace danlu
