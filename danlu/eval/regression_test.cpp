#include "danlu/eval/regression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "danlu/eval/testing.h"

namespace danlu::eval {
namespace {

using Reals = std::vector<double>;

TEST(Regression, ByHand) {
  const Reals targets{1, 2, 3}, values{1, 3, 5};
  EXPECT_DOUBLE_EQ(mean_squared_error(targets, values), 5.0 / 3);
  EXPECT_DOUBLE_EQ(root_mean_squared_error(targets, values), std::sqrt(5.0 / 3));
  EXPECT_DOUBLE_EQ(mean_absolute_error(targets, values), 1);
  EXPECT_DOUBLE_EQ(r2_score(targets, values), 1 - 5.0 / 2);
}

TEST(Regression, Edges) {
  EXPECT_TRUE(std::isnan(r2_score(Reals{1}, Reals{1})));
  EXPECT_EQ(r2_score(Reals{4, 4}, Reals{4, 4}), 1);
  EXPECT_EQ(r2_score(Reals{4, 4}, Reals{4, 5}), 0);
  EXPECT_TRUE(std::isnan(mean_squared_error({}, {})));
  EXPECT_THAT(error_of<ShapeError>([] {
                mean_absolute_error(Reals{1, 2}, Reals{1});
              }),
              testing::HasSubstr("got 1 predictions; expected one for each of 2 targets"));
}

}  // namespace
}  // namespace danlu::eval
