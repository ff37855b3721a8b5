#include "danlu/base/rng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace danlu {
namespace {

using Block = std::array<uint32_t, 4>;

TEST(Philox, KnownAnswers) {  // kat_vectors of Random123 1.09, philox4x32 10
  EXPECT_EQ(philox(0, 0, 0), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox(~0ull, ~0ull, ~0ull), (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox(0x299f31d0a4093822, 0x85a308d3243f6a88, 0x0370734413198a2e),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Rng, TheSameSeedGivesTheSameNumbers) {
  Rng a(7), b(7), other_seed(8), other_stream(7, 1);
  const uint64_t first = a.next_u64();
  EXPECT_EQ(first, b.next_u64());
  EXPECT_NE(first, other_seed.next_u64());
  EXPECT_NE(first, other_stream.next_u64());
}

TEST(Rng, GoesOnFromASavedState) {
  Rng rng(3, 5);
  for (int i = 0; i < 7; ++i) rng.next_u32();  // stops inside a block of four
  Rng resumed(rng.state());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(resumed.next_u32(), rng.next_u32());
}

TEST(Rng, UniformIsUniform) {
  Rng rng(1);
  constexpr int kDraws = 100'000, kBins = 100;
  std::vector<int> bins(kBins);
  for (int i = 0; i < kDraws; ++i) {
    const float u = rng.uniform();
    ASSERT_GE(u, 0.0f);
    ASSERT_LT(u, 1.0f);
    ++bins[static_cast<size_t>(u * kBins)];
  }
  double chi2 = 0;
  for (const int count : bins) chi2 += std::pow(count - kDraws / kBins, 2) / (kDraws / kBins);
  EXPECT_LT(chi2, 149) << "99 degrees of freedom: exceeded once in a thousand seeds";
  EXPECT_GT(chi2, 61);
}

TEST(Rng, NormalHasItsMoments) {
  Rng rng(2);
  constexpr int kDraws = 100'000;
  double sum = 0, sum2 = 0, sum4 = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = rng.normal();
    ASSERT_TRUE(std::isfinite(x));
    sum += x, sum2 += x * x, sum4 += x * x * x * x;
  }
  EXPECT_NEAR(sum / kDraws, 0, 0.013);  // four standard errors each
  EXPECT_NEAR(sum2 / kDraws, 1, 0.018);
  EXPECT_NEAR(sum4 / kDraws, 3, 0.125);
}

TEST(Rng, BelowCoversItsRangeEvenly) {
  Rng rng(4);
  std::vector<int> counts(7);
  for (int i = 0; i < 70'000; ++i) {
    const int64_t value = rng.below(7);
    ASSERT_GE(value, 0);
    ASSERT_LT(value, 7);
    ++counts[static_cast<size_t>(value)];
  }
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 400);
  EXPECT_EQ(rng.below(1), 0);
  for (int i = 0; i < 100; ++i) EXPECT_GE(rng.below(INT64_MAX), 0);
}

TEST(Rng, ShuffleIsAPermutation) {
  std::vector<int64_t> values(1000);
  std::iota(values.begin(), values.end(), 0);
  std::vector<int64_t> shuffled = values, again = values;
  Rng(9).shuffle(shuffled);
  Rng(9).shuffle(again);
  EXPECT_NE(shuffled, values);
  EXPECT_EQ(shuffled, again);
  std::sort(shuffled.begin(), shuffled.end());
  EXPECT_EQ(shuffled, values);
  Rng(9).shuffle({});
}

}  // namespace
}  // namespace danlu
