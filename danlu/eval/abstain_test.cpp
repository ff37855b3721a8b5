#include "danlu/eval/abstain.h"

#include <gtest/gtest.h>

#include <vector>

#include "danlu/base/error.h"

namespace danlu::eval {
namespace {

// Sorted: 0.99 right, 0.9 right, 0.9 wrong, 0.7 right, 0.6 wrong.
const std::vector<double> kConfidences = {0.6, 0.9, 0.99, 0.9, 0.7};
const std::vector<uint8_t> kCorrect = {0, 1, 1, 0, 1};

TEST(Abstain, ForCoverage) {
  const Abstention most = abstain_for_coverage(kConfidences, kCorrect, 0.6);
  EXPECT_EQ(most.least_confidence, 0.9);
  EXPECT_DOUBLE_EQ(most.coverage, 0.6);
  EXPECT_DOUBLE_EQ(most.accuracy, 2.0 / 3);
  EXPECT_EQ(abstain_for_coverage(kConfidences, kCorrect, 0.3).least_confidence, 0.9);  // equals go together
  EXPECT_EQ(abstain_for_coverage(kConfidences, kCorrect, 1).least_confidence, 0.6);
  EXPECT_EQ(abstain_for_coverage(kConfidences, kCorrect, 0).least_confidence, 0.99);
}

TEST(Abstain, ForAccuracyAnswersAsManyAsCanBe) {
  const Abstention three_quarters = abstain_for_accuracy(kConfidences, kCorrect, 0.75);
  EXPECT_EQ(three_quarters.least_confidence, 0.7);
  EXPECT_DOUBLE_EQ(three_quarters.coverage, 0.8);
  EXPECT_EQ(abstain_for_accuracy(kConfidences, kCorrect, 0.5).coverage, 1);
  EXPECT_EQ(abstain_for_accuracy(kConfidences, kCorrect, 0.9).least_confidence, 0.99);
  EXPECT_EQ(abstain_for_accuracy(std::vector<double>{0.9, 0.8}, std::vector<uint8_t>{0, 1}, 0.99).least_confidence, 0.8);  // the best there is
}

TEST(Abstain, WantsAnAnswerForEachConfidence) {
  EXPECT_THROW(abstain_for_coverage(kConfidences, std::vector<uint8_t>{1}, 0.5), ShapeError);
  EXPECT_THROW(abstain_for_accuracy({}, {}, 0.5), DataError);
}

}  // namespace
}  // namespace danlu::eval
