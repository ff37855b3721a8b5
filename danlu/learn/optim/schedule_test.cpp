#include "danlu/learn/optim/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

#include "danlu/base/error.h"

namespace danlu::optim {
namespace {

double factor(const Json& json, double fraction, int64_t step = 1000, double epoch = 0) {
  return parse_schedule(json).make()->factor({step, epoch, fraction});
}

TEST(Schedule, Shapes) {
  EXPECT_DOUBLE_EQ(factor("constant", 0.7), 1);
  EXPECT_DOUBLE_EQ(factor("cosine", 0), 1);
  EXPECT_NEAR(factor("cosine", 0.5), 0.5, 1e-12);
  EXPECT_NEAR(factor("cosine", 1), 0, 1e-12);
  EXPECT_NEAR(factor(Json{{"type", "cosine"}, {"end", 0.1}}, 1), 0.1, 1e-12);
  EXPECT_NEAR(factor("linear", 0.25), 0.75, 1e-12);
  EXPECT_NEAR(factor(Json{{"type", "step"}, {"every", 10}, {"gamma", 0.5}}, 0, 0, 25), 0.25, 1e-12);
}

TEST(Schedule, WarmupByUpdatesAndByFraction) {
  const Json by_updates = {{"type", "constant"}, {"warmup", 10}};
  EXPECT_NEAR(factor(by_updates, 0, 0), 0.1, 1e-12);
  EXPECT_NEAR(factor(by_updates, 0, 4), 0.5, 1e-12);
  EXPECT_NEAR(factor(by_updates, 0, 50), 1, 1e-12);
  const Json by_fraction = {{"type", "constant"}, {"warmup", 0.1}};
  EXPECT_NEAR(factor(by_fraction, 0.05), 0.5, 1e-12);
  EXPECT_NEAR(factor(by_fraction, 0.2), 1, 1e-12);
  // 200 updates in all, so 20 of warm-up: 1/20 at the first, 1 at the twentieth.
  const auto warming = parse_schedule(by_fraction).make();
  EXPECT_NEAR(warming->factor({0, 0, 0, 1.0 / 200}), 0.05, 1e-12);
  EXPECT_NEAR(warming->factor({18, 0, 18.0 / 200, 1.0 / 200}), 0.95, 1e-12);
  EXPECT_NEAR(warming->factor({19, 0, 19.0 / 200, 1.0 / 200}), 1, 1e-12);
}

TEST(Schedule, DecayBeginsAfterTheWarmup) {
  const Json json = {{"type", "cosine"}, {"warmup", 20}, {"end", 0.1}};
  const auto schedule = parse_schedule(json).make();
  const auto at = [&](int64_t step) { return schedule->factor({step, 0, static_cast<double>(step) / 100, 0.01}); };
  EXPECT_DOUBLE_EQ(at(19), 1);
  EXPECT_DOUBLE_EQ(at(20), 1);
  EXPECT_NEAR(at(60), 0.55, 1e-12) << "half way from 20 to 100";
  EXPECT_NEAR(at(100), 0.1, 1e-12);
  EXPECT_NEAR(factor(Json{{"type", "linear"}, {"warmup", 0.2}}, 0.6), 0.5, 1e-12);
}

TEST(Schedule, PlateauLowersTheRateAndItsStateIsSaved) {
  const Json json = {{"type", "plateau"}, {"factor", 0.5}, {"patience", 2}};
  const auto schedule = parse_schedule(json).make();
  for (const double loss : {1.0, 0.9, 0.95, 0.91}) schedule->observe(loss);
  EXPECT_DOUBLE_EQ(schedule->factor({}), 0.5);
  const auto copy = parse_schedule(json).make();
  copy->set_state(schedule->state());
  copy->observe(0.95);
  schedule->observe(0.95);
  copy->observe(0.95);
  schedule->observe(0.95);
  EXPECT_DOUBLE_EQ(copy->factor({}), 0.25);
  EXPECT_DOUBLE_EQ(schedule->factor({}), 0.25);
}

TEST(Schedule, UnknownNamesTheNearest) {
  try {
    parse_schedule("cosin");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_NE(error.message().find("did you mean \"cosine\"?"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace danlu::optim
