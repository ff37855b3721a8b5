#include "danlu/eval/bootstrap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <numeric>

#include "danlu/base/rng.h"
#include "danlu/base/threads.h"
#include "danlu/eval/metrics.h"
#include "danlu/eval/testing.h"

namespace danlu::eval {
namespace {

using testing::HasSubstr;

Statistic mean_of(std::vector<double> values) {
  return [values = std::move(values)](Counts counts) { return mean(values, counts); };
}

std::vector<double> normals(int64_t n, uint64_t seed) {
  Rng rng(seed);
  std::vector<double> values;
  for (int64_t i = 0; i < n; ++i) values.push_back(rng.normal());
  return values;
}

TEST(Bootstrap, TheIntervalOfAMeanIsAsWideAsTheorySays) {
  constexpr int64_t kSamples = 400;
  const std::vector<double> values = normals(kSamples, 1);
  const Interval interval = bootstrap_interval(kSamples, mean_of(values), {.resamples = 4000});
  const double half_width = 1.96 / std::sqrt(kSamples);
  EXPECT_NEAR((interval.high - interval.low) / 2, half_width, 0.1 * half_width);
  EXPECT_NEAR((interval.high + interval.low) / 2, mean(values), 0.1 * half_width);
}

TEST(Bootstrap, TheIntervalHoldsTheTruthAsOftenAsItSays) {
  constexpr int kWorlds = 200;
  int held = 0;
  for (uint64_t world = 0; world < kWorlds; ++world) {
    const Interval interval =
        bootstrap_interval(100, mean_of(normals(100, world)), {.resamples = 300, .confidence = 0.9});
    held += interval.low <= 0 && 0 <= interval.high ? 1 : 0;
  }
  EXPECT_NEAR(held / double{kWorlds}, 0.9, 0.065);  // three standard errors
}

TEST(Bootstrap, ResultsDependOnTheSeedAndNotOnTheThreads) {
  const Statistic statistic = mean_of(normals(500, 3));
  const auto interval_of = [&](int threads, int64_t seed) {
    const int before = num_threads();
    set_num_threads(threads);
    const Interval interval = bootstrap_interval(500, statistic, {.seed = seed});
    set_num_threads(before);
    return std::pair(interval.low, interval.high);
  };
  EXPECT_EQ(interval_of(1, 7), interval_of(4, 7));
  EXPECT_NE(interval_of(1, 7), interval_of(1, 8));
}

TEST(Bootstrap, EachResampleHasAsManySamples) {
  std::atomic<int> wrong{0};
  const Statistic check = [&](Counts counts) {
    wrong += std::accumulate(counts.begin(), counts.end(), 0) == 50 ? 0 : 1;
    return 0.0;
  };
  bootstrap_interval(50, check);
  EXPECT_EQ(wrong, 0);
}

TEST(Bootstrap, StrataKeepTheirSizes) {
  const std::vector<int64_t> strata{0, 1, 0, 2, 2, 2};
  std::atomic<int> wrong{0};
  const Statistic check = [&](Counts c) {
    wrong += c[0] + c[2] == 2 && c[1] == 1 && c[3] + c[4] + c[5] == 3 ? 0 : 1;
    return 0.0;
  };
  bootstrap_interval(6, check, {.stratified = true}, strata);
  EXPECT_EQ(wrong, 0);
  bootstrap_interval(6, check, {.stratified = false}, strata);
  EXPECT_GT(wrong, 0);
}

TEST(Bootstrap, UndefinedResamplesAreLeftOut) {
  std::vector<int64_t> labels(30, 0);
  labels[0] = labels[1] = 1;  // about one resample in eight has no positive
  std::vector<double> scores;
  for (int i = 0; i < 30; ++i) scores.push_back((i * 7 % 30) / 30.0);
  const Predictions p = Predictions::classification(labels, scores, 2);
  const Interval some = bootstrap_interval(30, find_metric("auc", Task::binary).prepare(p));
  EXPECT_TRUE(some.low >= 0 && some.low < some.high && some.high <= 1) << some.low << " " << some.high;
  const Interval none = bootstrap_interval(3, [](Counts) { return std::nan(""); });
  EXPECT_TRUE(std::isnan(none.low) && std::isnan(none.high));
}

TEST(PairedBootstrap, TellsADifferenceFromNone) {
  constexpr int64_t kSamples = 300;
  const std::vector<double> base = normals(kSamples, 1), noise = normals(kSamples, 2);
  std::vector<double> better, same;
  for (size_t i = 0; i < base.size(); ++i) {
    better.push_back(base[i] + 0.1 + 0.2 * noise[i]);  // small beside the spread of the samples, large beside its own
    same.push_back(base[i] + 0.2 * (noise[i] - mean(noise)));
  }
  const PairedComparison real = paired_bootstrap(kSamples, mean_of(better), mean_of(base));
  EXPECT_NEAR(real.difference, 0.1, 0.04);
  EXPECT_GT(real.interval.low, 0);
  EXPECT_LT(real.p_value, 0.01);
  EXPECT_GE(real.p_value, 1.0 / 1001);
  const PairedComparison none = paired_bootstrap(kSamples, mean_of(same), mean_of(base));
  EXPECT_LT(none.interval.low, 0);
  EXPECT_GT(none.p_value, 0.2);
  EXPECT_EQ(paired_bootstrap(kSamples, mean_of(base), mean_of(base)).p_value, 1);
}

TEST(Bootstrap, RefusesWhatDoesNotFit) {
  const std::vector<int64_t> strata{0, 1}, labels{1, 0, 1};
  EXPECT_THAT(error_of<DataError>([] { bootstrap_interval(0, [](Counts) { return 0.0; }); }),
              HasSubstr("got no samples"));
  EXPECT_THAT(error_of<ShapeError>([&] {
                bootstrap_interval(
                    3, [](Counts) { return 0.0; }, {}, strata);
              }),
              HasSubstr("got 2 strata; expected one for each of 3 samples"));
  EXPECT_THAT(error_of<ShapeError>([&] { mcnemar_test(labels, labels, strata); }),
              HasSubstr("got 3 and 2 predictions"));
}

TEST(Quantile, IsLinearBetweenValues) {
  const std::vector<double> values{1, 2, 4};
  EXPECT_EQ(quantile(values, 0), 1);
  EXPECT_EQ(quantile(values, 0.25), 1.5);
  EXPECT_EQ(quantile(values, 0.75), 3);
  EXPECT_EQ(quantile(values, 1), 4);
}

}  // namespace
}  // namespace danlu::eval
