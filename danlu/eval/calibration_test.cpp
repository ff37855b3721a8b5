#include "danlu/eval/calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "danlu/eval/testing.h"

namespace danlu::eval {
namespace {

using testing::HasSubstr;
using Labels = std::vector<int64_t>;
using Reals = std::vector<double>;

// A published worked example gave 0.693 for the truth (0, 1) and the answer (0.8, 0.2). It has three readings, none of
// which is 0.693.
TEST(LogLoss, WorkedExample) {
  // One sample of two classes: -ln 0.2.
  EXPECT_NEAR(log_loss(Labels{1}, Reals{0.8, 0.2}, 2), 1.6094379124341003, 1e-15);
  // Two binary samples, y = 0 with p = 0.8 and y = 1 with p = 0.2: the mean of twice -ln 0.2.
  EXPECT_NEAR(log_loss(Labels{0, 1}, Reals{0.2, 0.8, 0.8, 0.2}, 2), 1.6094379124341003, 1e-15);
  // One sample of two classes, and a mean over the classes too.
  EXPECT_NEAR(log_loss(Labels{1}, Reals{0.8, 0.2}, 2) / 2, 0.8047189562170503, 1e-15);
}

// -1/n sum [y ln p + (1 - y) ln (1 - p)]: both terms are inside the sum.
TEST(LogLoss, BothTermsCountForEverySample) {
  const double expected = -(std::log(0.9) + std::log(1 - 0.4) + std::log(0.7) + std::log(1 - 0.2)) / 4;
  EXPECT_NEAR(log_loss(Labels{1, 0, 1, 0}, Reals{0.1, 0.9, 0.6, 0.4, 0.3, 0.7, 0.8, 0.2}, 2), expected, 1e-15);
}

TEST(LogLoss, CertaintyIsClipped) {
  EXPECT_NEAR(log_loss(Labels{1}, Reals{1, 0}, 2), 52 * std::log(2.0), 1e-12);
  EXPECT_GT(log_loss(Labels{0}, Reals{1, 0}, 2), 0);
  EXPECT_LT(log_loss(Labels{0}, Reals{1, 0}, 2), 1e-15);
}

TEST(Brier, TwoClassesOrMore) {
  EXPECT_NEAR(brier_score(Labels{1}, Reals{0.7, 0.3}, 2), 0.49, 1e-15);
  EXPECT_NEAR(brier_score(Labels{2}, Reals{0.5, 0.2, 0.3}, 3), 0.25 + 0.04 + 0.49, 1e-15);
}

TEST(Reliability, ConfidentAndHalfWrong) {
  // Ten samples at 0.9 of which five are class 1; ten at 0.1 of which one is.
  Forecasts f;
  for (int i = 0; i < 20; ++i) {
    f.confidence.push_back(i < 10 ? 0.9 : 0.1);
    f.happened.push_back(i < 5 || i == 10 ? 1 : 0);
  }
  const auto curve = reliability_curve(f, 10);
  ASSERT_EQ(curve.size(), 10u);
  EXPECT_EQ(curve[0].count, 10);  // 0.1 is the upper edge of the first bin
  EXPECT_DOUBLE_EQ(curve[0].frequency, 0.1);
  EXPECT_EQ(curve[8].count, 10);
  EXPECT_DOUBLE_EQ(curve[8].frequency, 0.5);
  EXPECT_EQ(curve[5].count, 0);
  EXPECT_NEAR(expected_calibration_error(curve), 0.2, 1e-12);
  EXPECT_EQ(reliability_curve(f, 1)[0].count, 20);
}

TEST(Reliability, EdgesOfTheRange) {
  const auto curve = reliability_curve({{0.0, 1.0}, {0, 1}}, 5);
  EXPECT_EQ(curve.front().count, 1);
  EXPECT_EQ(curve.back().count, 1);
  EXPECT_EQ(curve.back().high, 1.0);
  EXPECT_TRUE(std::isnan(expected_calibration_error(reliability_curve({}, 5))));
}

TEST(Calibration, RefusesWhatDoesNotFit) {
  EXPECT_THAT(error_of<ShapeError>([] { log_loss(Labels{1}, Reals{0.5}, 2); }),
              HasSubstr("got 1 probabilities for 1 labels"));
  EXPECT_THAT(error_of<DataError>([] {
                brier_score(Labels{2}, Reals{0.5, 0.5}, 2);
              }),
              HasSubstr("got label 2 at sample 0"));
  EXPECT_THAT(error_of<ConfigError>([] { reliability_curve({}, 0); }), HasSubstr("got 0 bins"));
}

}  // namespace
}  // namespace danlu::eval
