#include "danlu/eval/permutation_importance.h"

#include <gtest/gtest.h>

#include <cmath>

#include "danlu/base/rng.h"

namespace danlu::eval {
namespace {

// y = 3 a + b exactly, and c is not used: the loss of a shuffled input is known. E (w x - w x')^2 = 2 w^2 var x.
TEST(PermutationImportance, IsTheVarianceThatAnInputAnswersFor) {
  constexpr int64_t kSamples = 4000;
  Rng rng(2);
  std::vector<std::vector<double>> inputs(3);
  for (int64_t n = 0; n < kSamples; ++n) {
    for (auto& column : inputs) column.push_back(static_cast<double>(rng.normal()));
  }
  const double weights[] = {3, 1, 0};
  const auto score = [&](int64_t input, std::span<const int64_t> order) {
    double loss = 0;
    for (size_t n = 0; n < static_cast<size_t>(kSamples); ++n) {
      const auto i = static_cast<size_t>(input);
      const double difference = weights[i] * (inputs[i][static_cast<size_t>(order[n])] - inputs[i][n]);
      loss += difference * difference / kSamples;
    }
    return -loss;
  };
  const double expected[] = {18, 2, 0};
  for (int64_t input = 0; input < 3; ++input) {
    const Importance found = permutation_importance(input, kSamples, 0.0, score, {.repeats = 6});
    EXPECT_EQ(found.repeats.size(), 6u);
    EXPECT_NEAR(found.mean, expected[input], 0.08 * expected[input]);
    EXPECT_EQ(found.spread > 0, input < 2) << "repeats are different orders, and an input that is not used makes no difference";
    EXPECT_LT(found.spread, 0.1 * expected[input] + 1e-12);
  }
  const Importance again = permutation_importance(1, kSamples, 0.0, score, {.repeats = 6});
  EXPECT_EQ(again.repeats, permutation_importance(1, kSamples, 0.0, score, {.repeats = 6}).repeats);
}

TEST(PermutationImportance, EveryOrderHasEverySampleOnce) {
  const auto score = [](int64_t, std::span<const int64_t> order) {
    std::vector<int> seen(order.size(), 0);
    for (const int64_t n : order) ++seen[static_cast<size_t>(n)];
    for (const int count : seen) EXPECT_EQ(count, 1);
    return 0.25;
  };
  const Importance found = permutation_importance(0, 17, 1.0, score, {.repeats = 1});
  EXPECT_EQ(found.mean, 0.75);
  EXPECT_EQ(found.spread, 0);
}

}  // namespace
}  // namespace danlu::eval
