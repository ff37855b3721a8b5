#include "danlu/eval/threshold.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "danlu/eval/testing.h"

namespace danlu::eval {
namespace {

using testing::HasSubstr;

const std::vector<int64_t> kLabels{0, 0, 1, 0, 1, 1};
const std::vector<double> kScores{0.1, 0.2, 0.3, 0.6, 0.7, 0.9};

TEST(Threshold, SeparatesWhereTheGoalIsBest) {
  const RankedScores scores(kLabels, kScores);
  EXPECT_EQ(best_youden(scores).threshold, 0.7);  // 2/3 - 0; at 0.3 it is 1 - 1/3: a tie goes to the higher threshold
  EXPECT_EQ(best_f_beta(scores, 1).threshold, 0.3);
  EXPECT_DOUBLE_EQ(best_f_beta(scores, 1).value, 6.0 / 7);
  EXPECT_EQ(best_f_beta(scores, 0.1).threshold, 0.7);  // precision is nearly all
}

TEST(Threshold, CostsDecide) {
  const RankedScores scores(kLabels, kScores);
  const Threshold misses_are_dear = least_cost(scores, {.false_positive = 1, .false_negative = 100});
  EXPECT_EQ(misses_are_dear.threshold, 0.3);
  EXPECT_DOUBLE_EQ(misses_are_dear.value, 1.0 / 6);
  EXPECT_EQ(least_cost(scores, {.false_positive = 100, .false_negative = 1}).threshold, 0.7);
  // A true positive that costs more than it saves: call nobody positive.
  const Threshold nobody = least_cost(scores, {.true_positive = 5, .false_positive = 1, .false_negative = 1});
  EXPECT_GT(nobody.threshold, 0.9);
  EXPECT_DOUBLE_EQ(nobody.value, 0.5);
}

TEST(Threshold, NeedsSamplesOfBothKinds) {
  const std::vector<int64_t> negatives{0};
  const std::vector<double> score{0.4};
  EXPECT_THAT(error_of<DataError>([] { best_f_beta(RankedScores({}, {}), 1); }), HasSubstr("got no samples"));
  EXPECT_THAT(error_of<DataError>([&] { best_youden(RankedScores(negatives, score)); }),
              HasSubstr("got 0 positive and 1 negative samples"));
  EXPECT_THAT(error_of<ConfigError>([&] { best_f_beta(RankedScores(negatives, score), -1); }),
              HasSubstr("got beta -1"));
}

}  // namespace
}  // namespace danlu::eval
