#include "danlu/base/eta.h"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <thread>

namespace danlu {
namespace {

TEST(Eta, UnknownUntilSomethingIsDone) {
  Eta eta;
  EXPECT_LT(eta.remaining_s(), 0);
  eta.update(0);
  EXPECT_LT(eta.remaining_s(), 0);
}

TEST(Eta, FollowsTheMeasuredSpeed) {
  Eta eta;
  const Timer timer;
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  eta.update(0.25);
  const double elapsed = timer.seconds();
  EXPECT_NEAR(eta.remaining_s(), 3 * elapsed, 0.2 * 3 * elapsed);
  eta.update(1);
  EXPECT_EQ(eta.remaining_s(), 0);
}

TEST(Eta, DurationsReadWell) {
  EXPECT_EQ(format_duration(0.25), "0.2 s");
  EXPECT_EQ(format_duration(47.4), "47 s");
  EXPECT_EQ(format_duration(59.7), "1 min 00 s");
  EXPECT_EQ(format_duration(200), "3 min 20 s");
  EXPECT_EQ(format_duration(3599.9), "1 h 00 min");
  EXPECT_EQ(format_duration(7500), "2 h 05 min");
  EXPECT_EQ(format_duration(-1), "?");
  EXPECT_EQ(format_duration(std::numeric_limits<double>::quiet_NaN()), "?");
  EXPECT_EQ(format_duration(std::numeric_limits<double>::infinity()), "?");
}

}  // namespace
}  // namespace danlu
