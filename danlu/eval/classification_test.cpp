#include "danlu/eval/classification.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "danlu/eval/testing.h"

namespace danlu::eval {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Classes = std::vector<int64_t>;

// Two classes by hand: 3 true positives, 1 false negative, 2 false positives, 4 true negatives.
ClassCounts by_hand() {
  const Classes labels{1, 1, 1, 1, 0, 0, 0, 0, 0, 0}, predicted{1, 1, 1, 0, 1, 1, 0, 0, 0, 0};
  return count_classes(labels, predicted, 2);
}

TEST(Classification, ByHand) {
  const ClassCounts c = by_hand();
  EXPECT_DOUBLE_EQ(accuracy(c), 0.7);
  EXPECT_DOUBLE_EQ(precision(c, 1), 3.0 / 5);
  EXPECT_DOUBLE_EQ(recall(c, 1), 3.0 / 4);
  EXPECT_DOUBLE_EQ(f1(c, 1), 2.0 / 3);
  EXPECT_DOUBLE_EQ(specificity(c, 1), 4.0 / 6);
  EXPECT_DOUBLE_EQ(specificity(c, 0), recall(c, 1));
  EXPECT_DOUBLE_EQ(balanced_accuracy(c), (3.0 / 4 + 4.0 / 6) / 2);
  EXPECT_DOUBLE_EQ(matthews_correlation(c), (3.0 * 4 - 2 * 1) / std::sqrt(5.0 * 4 * 6 * 5));
}

TEST(Classification, MicroIsAccuracy) {
  const ClassCounts c = by_hand();
  EXPECT_DOUBLE_EQ(precision(c, Average::micro), accuracy(c));
  EXPECT_DOUBLE_EQ(recall(c, Average::micro), accuracy(c));
  EXPECT_DOUBLE_EQ(f1(c, Average::micro), accuracy(c));
  EXPECT_DOUBLE_EQ(specificity(c, Average::micro), 0.7);  // 7 of the 10 decisions "not this class" that were due
}

TEST(Classification, NothingToNothingIsZero) {
  const Classes labels{0, 0}, predicted{0, 0};
  const ClassCounts c = count_classes(labels, predicted, 3);
  EXPECT_EQ(precision(c, 2), 0);
  EXPECT_EQ(recall(c, 2), 0);
  EXPECT_EQ(f1(c, 2), 0);
  EXPECT_EQ(specificity(c, 0), 0);  // no other samples
  EXPECT_EQ(matthews_correlation(c), 0);
  EXPECT_EQ(balanced_accuracy(c), 1);  // of the only class there is
  EXPECT_DOUBLE_EQ(f1(c, Average::macro), 1.0 / 3);
  EXPECT_DOUBLE_EQ(f1(c, Average::weighted), 1.0);
  EXPECT_TRUE(std::isnan(accuracy(ClassCounts(2))));
}

TEST(Classification, CountsRepeatSamples) {
  const Classes labels{0, 1, 1}, predicted{0, 0, 1};
  const std::vector<int32_t> counts{2, 0, 3};
  const ClassCounts c = count_classes(labels, predicted, 2, counts);
  EXPECT_EQ(c.total, 5);
  EXPECT_THAT(c.support, ElementsAre(2, 3));
  EXPECT_EQ(accuracy(c), 1);
}

TEST(Classification, ConfusionHasActualRows) {
  const Classes labels{0, 0, 2}, predicted{1, 1, 2};
  const ConfusionMatrix matrix(labels, predicted, 3);
  EXPECT_THAT(matrix.row(0), ElementsAre(0, 2, 0));
  EXPECT_THAT(matrix.row(1), ElementsAre(0, 0, 0));
  EXPECT_EQ(matrix.at(2, 2), 1);
}

TEST(Classification, BadClassesAreNamed) {
  const Classes labels{0, 3}, negative{0, -1}, good{0, 1}, shorter{0};
  EXPECT_THAT(error_of<DataError>([&] { count_classes(labels, good, 2); }),
              HasSubstr("got label 3 at sample 1; expected 0 to 1"));
  EXPECT_THAT(error_of<DataError>([&] { count_classes(good, negative, 2); }),
              HasSubstr("got prediction -1 at sample 1"));
  EXPECT_THAT(error_of<DataError>([&] { ConfusionMatrix(labels, good, 2); }), HasSubstr("got label 3"));
  EXPECT_THAT(error_of<ShapeError>([&] { count_classes(good, shorter, 2); }), HasSubstr("got 1 predictions"));
}

}  // namespace
}  // namespace danlu::eval
