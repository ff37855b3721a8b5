#include "danlu/app/recipe/interval_name.h"

#include <gtest/gtest.h>

namespace danlu::app {
namespace {

TEST(IntervalName, SaysTheLevelThatIntervalsWereMadeFor) {
  EXPECT_EQ(interval_name({{"confidence", 0.9}}), "90 % interval");
  EXPECT_EQ(interval_name(Json::object()), "95 % interval");
}

}  // namespace
}  // namespace danlu::app
