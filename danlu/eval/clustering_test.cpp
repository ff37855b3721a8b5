#include "danlu/eval/clustering.h"

#include <gtest/gtest.h>

#include <cmath>

#include "danlu/base/error.h"

namespace danlu::eval {
namespace {

// scikit-learn's numbers are in goldens_test.cpp; here are the corners.

TEST(Silhouettes, ByHand) {
  // 0 and 1 against 4: a = 1; b = 4 and 3.
  const std::vector<float> x = {0, 1, 4};
  const std::vector<int64_t> clusters = {0, 0, 1};
  const std::vector<double> s = silhouettes(x, 1, clusters);
  EXPECT_DOUBLE_EQ(s[0], 0.75);
  EXPECT_DOUBLE_EQ(s[1], 2.0 / 3);
  EXPECT_DOUBLE_EQ(s[2], 0) << "alone";
}

TEST(Silhouettes, OfCopiesAreZeroAndOfOneClusterUndefined) {
  const std::vector<float> x = {2, 2, 2, 2};
  for (const double s : silhouettes(x, 1, std::vector<int64_t>{0, 0, 3, 3})) EXPECT_EQ(s, 0);
  for (const double s : silhouettes(x, 1, std::vector<int64_t>{5, 5, 5, 5})) EXPECT_TRUE(std::isnan(s));
  EXPECT_TRUE(silhouettes({}, 1, {}).empty());
}

TEST(DaviesBouldin, ByHand) {
  // Means 1 and 11, spreads 1 and 1: (1 + 1) / 10.
  EXPECT_DOUBLE_EQ(davies_bouldin(std::vector<float>{0, 2, 10, 12}, 1, std::vector<int64_t>{0, 0, 1, 1}), 0.2);
  EXPECT_TRUE(std::isnan(davies_bouldin(std::vector<float>{0, 2}, 1, std::vector<int64_t>{0, 0})));
}

TEST(AdjustedRand, IsOneForTheSameDivisionUnderOtherNames) {
  const std::vector<int64_t> a = {0, 0, 1, 1, 2}, b = {4, 4, 0, 0, 9};
  EXPECT_DOUBLE_EQ(adjusted_rand(a, b), 1);
  EXPECT_DOUBLE_EQ(adjusted_rand(std::vector<int64_t>{0, 0, 1, 1}, std::vector<int64_t>{0, 1, 0, 1}), -0.5);
}

TEST(Clustering, RefusesSizesThatDoNotFit) {
  const std::vector<float> x = {0, 1, 2};
  const std::vector<int64_t> clusters = {0, 1};
  EXPECT_THROW(silhouettes(x, 1, clusters), ShapeError);
  EXPECT_THROW(davies_bouldin(x, 2, clusters), ShapeError);
  EXPECT_THROW(silhouettes(x, 1, std::vector<int64_t>{0, 1, -1}), ShapeError);
  EXPECT_THROW(adjusted_rand(clusters, std::vector<int64_t>{0}), ShapeError);
}

}  // namespace
}  // namespace danlu::eval
