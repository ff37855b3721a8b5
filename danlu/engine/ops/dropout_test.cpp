#include "danlu/engine/ops/dropout.h"

#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/random.h"

namespace danlu {
namespace {

std::vector<float> mask(float p, int64_t n = 1000) { return dropout(Tensor::full({n}, 1), p).to_vector(); }

TEST(Dropout, KeepsTheRightPartAndTheMean) {
  manual_seed(1);
  constexpr int64_t kCount = 1 << 18;
  for (const float p : {0.1f, 0.5f, 0.9f}) {
    int64_t dropped = 0;
    for (const float y : mask(p, kCount)) {
      if (y == 0) ++dropped;
      else ASSERT_FLOAT_EQ(y, 1 / (1 - p));
    }
    const double deviation = std::sqrt(static_cast<double>(kCount) * static_cast<double>(p * (1 - p)));
    EXPECT_NEAR(static_cast<double>(dropped), static_cast<double>(p) * kCount, 5 * deviation) << p;
  }
}

TEST(Dropout, NeighboursAreIndependent) {
  manual_seed(2);
  constexpr int64_t kCount = 1 << 18;
  const std::vector<float> y = mask(0.5f, kCount), other = mask(0.5f, kCount);
  for (const size_t distance : {1, 2, 16, 64}) {
    int64_t same = 0;
    for (size_t i = distance; i < y.size(); ++i) same += y[i] == y[i - distance];
    EXPECT_NEAR(static_cast<double>(same), kCount / 2.0, 5 * std::sqrt(kCount / 4.0)) << "elements " << distance << " apart";
  }
  int64_t same = 0;
  for (size_t i = 0; i < y.size(); ++i) same += y[i] == other[i];
  EXPECT_NEAR(static_cast<double>(same), kCount / 2.0, 5 * std::sqrt(kCount / 4.0)) << "one call and the next";
}

TEST(Dropout, TheGradientHasTheMaskOfItsOwnForward) {
  Tensor x = Tensor::full({1000}, 1);
  x.set_requires_grad();
  manual_seed(3);
  const Tensor y = dropout(x, 0.5f);
  dropout(Tensor::full({1000}, 1), 0.5f);  // moves the generator on
  backward(y, Tensor::full({1000}, 1));
  EXPECT_EQ(x.grad().to_vector(), y.to_vector());
}

TEST(Random, TheSameSeedGivesTheSameMasks) {
  manual_seed(4);
  const std::vector<float> first = mask(0.5f), second = mask(0.5f);
  EXPECT_NE(first, second);
  manual_seed(4);
  EXPECT_EQ(mask(0.5f), first);
  EXPECT_EQ(mask(0.5f), second);
  manual_seed(5);
  EXPECT_NE(mask(0.5f), first);
}

TEST(Random, AStateThatIsPutBackGoesOnAsBefore) {
  manual_seed(6);
  mask(0.5f);
  const RandomState state = random_state();
  EXPECT_EQ(state.seed, 6u);
  EXPECT_EQ(state.offset, 1u);
  const std::vector<float> next = mask(0.5f);
  manual_seed(0);
  set_random_state(state);
  EXPECT_EQ(mask(0.5f), next);
}

TEST(Random, EachThreadHasItsOwnState) {
  manual_seed(7);
  std::thread([] {
    manual_seed(8);
    next_random();
  }).join();
  EXPECT_EQ(random_state().seed, 7u);
  EXPECT_EQ(random_state().offset, 0u);
}

}  // namespace
}  // namespace danlu
