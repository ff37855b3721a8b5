#include "danlu/eval/cross_validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "danlu/eval/testing.h"

namespace danlu::eval {
namespace {

TEST(CrossValidation, OneFoldHasNoSpread) {
  const std::vector<double> one{0.9};
  const CrossValidationScore score = summarize_folds(one);
  EXPECT_EQ(score.mean, 0.9);
  EXPECT_TRUE(std::isnan(score.standard_deviation));
  EXPECT_TRUE(std::isnan(score.interval.low));
}

TEST(CrossValidation, EqualFoldsAreCertain) {
  const std::vector<double> equal{0.5, 0.5, 0.5};
  const CrossValidationScore score = summarize_folds(equal);
  EXPECT_EQ(score.interval.low, 0.5);
  EXPECT_EQ(score.interval.high, 0.5);
}

TEST(CrossValidation, OverlapWidensTheInterval) {
  const std::vector<double> scores{0.90, 0.92, 0.95, 0.91, 0.93};
  const Interval plain = summarize_folds(scores).interval, corrected = summarize_repeated_folds(scores, 0.25).interval;
  EXPECT_NEAR((corrected.high - corrected.low) / (plain.high - plain.low), std::sqrt((0.2 + 0.25) / 0.2), 1e-12);
}

TEST(CrossValidation, TheIntervalEndsAtTheBoundsOfTheScore) {
  const std::vector<double> scores{1, 0.9, 1, 1, 0.95};
  EXPECT_GT(summarize_folds(scores).interval.high, 1);
  const Interval bounded = summarize_repeated_folds(scores, 0.25, {.low = 0, .high = 1}).interval;
  EXPECT_EQ(bounded.high, 1);
  EXPECT_EQ(bounded.low, summarize_repeated_folds(scores, 0.25).interval.low);
}

TEST(CrossValidation, RefusesNoFolds) {
  EXPECT_THAT(error_of<DataError>([] { summarize_folds({}); }), testing::HasSubstr("got no scores"));
  EXPECT_THROW(student_t_quantile(1, 3), ConfigError);
}

}  // namespace
}  // namespace danlu::eval
