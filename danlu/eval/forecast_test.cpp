#include "danlu/eval/forecast.h"

#include <gmock/gmock.h>

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/rng.h"

namespace danlu::eval {
namespace {

using testing::ElementsAre;

constexpr double kNone = NAN;

double value(const ForecastReport& report, const std::string& name) {
  for (const auto& m : report.metrics) {
    if (m.name == name) return m.value;
  }
  return kNone;
}

TEST(Forecast, IsMeasuredWhereSomethingWasMeasured) {
  const Walk walk{.horizon = 2, .origins = {0, 1, 2}, .naive_error = {2, 2, 0}, .truth = {1, kNone, 0, 4, kNone, 10}};
  const std::vector<double> values = {3, 100, 0, 1, 100, 11};
  const ForecastReport report = measure_forecast(walk, values);
  EXPECT_EQ(report.measured, 4);
  EXPECT_EQ(report.blocks, 2) << "origins 0 and 1, and 2";
  EXPECT_DOUBLE_EQ(value(report, "rmse"), std::sqrt((4 + 0 + 9 + 1) / 4.0));
  EXPECT_DOUBLE_EQ(value(report, "mae"), (2 + 0 + 3 + 1) / 4.0);
  EXPECT_DOUBLE_EQ(value(report, "mase"), (2 + 0 + 3) / 2.0 / 3) << "of the series that has a unit";
  EXPECT_DOUBLE_EQ(value(report, "smape"), (2 * 2 / 4.0 + 0 + 2 * 3 / 5.0 + 2 / 21.0) / 4);
  EXPECT_THAT(report.rmse_by_step, ElementsAre(std::sqrt(2), std::sqrt(5)));
  EXPECT_THROW(measure_forecast(walk, std::vector<double>(5)), ShapeError);
  EXPECT_THROW(measure_forecast({.horizon = 1, .origins = {0}, .naive_error = {1}, .truth = {kNone}}, std::vector<double>(1)), DataError);
}

// A random walk, foretold from each of its points for `horizon` ahead: errors of neighbours are nearly the same.
struct Wandering {
  Walk walk;
  std::vector<double> values;
};
Wandering wander(int64_t windows, int64_t horizon, uint64_t seed) {
  Rng rng(seed);
  std::vector<double> path = {0};
  for (int64_t i = 0; i < windows + horizon; ++i) path.push_back(path.back() + rng.normal());
  Wandering w;
  w.walk.horizon = horizon;
  for (int64_t o = 0; o < windows; ++o) {
    w.walk.origins.push_back(o);
    w.walk.naive_error.push_back(1);
    for (int64_t h = 1; h <= horizon; ++h) {
      w.walk.truth.push_back(path[static_cast<size_t>(o + h)]);
      w.values.push_back(path[static_cast<size_t>(o)]);
    }
  }
  return w;
}

TEST(Forecast, IntervalsAllowForWindowsThatOverlap) {
  // The mean square of h steps is h: over 1 to 8, 4.5.
  const double truth = std::sqrt(4.5);
  int held = 0;
  constexpr int kWorlds = 60;
  for (int world = 0; world < kWorlds; ++world) {
    const Wandering w = wander(400, 8, static_cast<uint64_t>(world));
    const Interval interval = measure_forecast(w.walk, w.values, {.resamples = 300}).metrics.front().interval;
    held += interval.low <= truth && truth <= interval.high;
  }
  EXPECT_GE(held, 48) << "of 60; 95 % are meant, and windows taken one by one would hold half of them";
}

TEST(Forecast, IsComparedOverTheSameWindows) {
  const Wandering w = wander(200, 4, 1);
  std::vector<double> worse = w.values;
  for (size_t i = 0; i < worse.size(); ++i) worse[i] += 3;
  const PairedComparison gain = compare_rmse(w.walk, worse, w.values);
  EXPECT_GT(gain.difference, 0.5);
  EXPECT_GT(gain.interval.low, 0);
  EXPECT_NEAR(skill_over(w.walk, w.values, worse).value, gain.difference / value(measure_forecast(w.walk, worse), "rmse"), 1e-12);
  EXPECT_EQ(skill_over(w.walk, w.values, w.values).value, 0);
  const Wandering one = wander(1, 4, 1);
  EXPECT_TRUE(std::isnan(compare_rmse(one.walk, one.values, one.values).interval.low)) << "one block says nothing of chance";
}

TEST(ResidualBand, HoldsWhatItSays) {
  Rng rng(3);
  std::vector<double> residuals;
  for (int i = 0; i < 4000; ++i) residuals.push_back(rng.normal() * (i % 2 == 0 ? 1 : 5));
  const auto band = residual_band(residuals, 2, 0.8);
  ASSERT_TRUE(band);
  EXPECT_NEAR(band->high[0], 1.28, 0.1);
  EXPECT_NEAR(band->low[1], -6.4, 0.4);
  Walk walk{.horizon = 2, .origins = {}, .naive_error = {}, .truth = {}};
  std::vector<double> low, high;
  for (int64_t o = 0; o < 1000; ++o) {
    walk.origins.push_back(o);
    walk.naive_error.push_back(1);
    for (size_t h = 0; h < 2; ++h) {
      walk.truth.push_back(rng.normal() * (h == 0 ? 1 : 5));
      low.push_back(band->low[h]);
      high.push_back(band->high[h]);
    }
  }
  const Coverage coverage = measure_coverage(walk, low, high);
  EXPECT_NEAR(coverage.share, 0.8, 0.04);
  EXPECT_TRUE(coverage.interval.low < coverage.share && coverage.share < coverage.interval.high);
  EXPECT_NEAR(coverage.width, 2 * 1.28 * 3, 0.6);
}

TEST(ResidualBand, TakesAllPeriodsWhereOneHasTooFew) {
  std::vector<double> residuals;
  for (int i = 0; i < 25; ++i) {
    residuals.push_back(i);
    residuals.push_back(i < 5 ? 1000 : kNone);
  }
  const auto band = residual_band(residuals, 2, 0.5);
  ASSERT_TRUE(band);
  EXPECT_LT(band->high[0], 25);
  EXPECT_LE(band->low[1], 25) << "of the other period too";
  EXPECT_FALSE(residual_band(std::vector<double>(19, 1.0), 1, 0.5));
}

TEST(ResidualBand, OfALargeShareNeedsMore) {
  const auto up_to = [](int64_t count) {
    std::vector<double> residuals;
    for (int64_t i = 1; i <= count; ++i) residuals.push_back(static_cast<double>(i));
    return residuals;
  };
  EXPECT_FALSE(residual_band(up_to(38), 1, 0.95)) << "of 39 the least and the greatest hold 38 parts of 40";
  const auto band = residual_band(up_to(39), 1, 0.95);
  ASSERT_TRUE(band);
  EXPECT_EQ(band->low[0], 1);
  EXPECT_EQ(band->high[0], 39);
  EXPECT_FALSE(residual_band(up_to(198), 1, 0.99));
  EXPECT_TRUE(residual_band(up_to(199), 1, 0.99));
  const auto pooled = residual_band(up_to(50), 2, 0.95);  // 25 of each period
  ASSERT_TRUE(pooled);
  EXPECT_THAT(pooled->low, ElementsAre(1, 1)) << "of both periods";
  EXPECT_THAT(pooled->high, ElementsAre(50, 50));
}

}  // namespace
}  // namespace danlu::eval
