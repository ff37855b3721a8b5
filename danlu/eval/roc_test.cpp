#include "danlu/eval/roc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "danlu/base/rng.h"
#include "danlu/eval/testing.h"

namespace danlu::eval {
namespace {

using testing::HasSubstr;

// By definition: the fraction of (positive, negative) pairs that are in order, ties half.
double auc_of_pairs(std::span<const int64_t> labels, std::span<const double> scores) {
  double in_order = 0, pairs = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    for (size_t j = 0; j < labels.size(); ++j) {
      if (labels[i] != 1 || labels[j] == 1) continue;
      in_order += scores[i] > scores[j] ? 1.0 : scores[i] == scores[j] ? 0.5 : 0.0;
      ++pairs;
    }
  }
  return in_order / pairs;
}

TEST(Roc, AucIsTheFractionOfPairsInOrder) {
  Rng rng(1);
  for (const int64_t levels : {1, 2, 5, 1000}) {  // few levels: many ties
    std::vector<int64_t> labels;
    std::vector<double> scores;
    for (int i = 0; i < 200; ++i) {
      labels.push_back(rng.below(3) == 0 ? 1 : 0);
      scores.push_back(static_cast<double>(rng.below(levels)));
    }
    EXPECT_NEAR(RankedScores(labels, scores).auc(), auc_of_pairs(labels, scores), 1e-14) << levels;
  }
}

TEST(Roc, OrderOfSamplesDoesNotMatter) {
  const std::vector<int64_t> labels{1, 0, 1, 0, 0}, reversed_labels{0, 0, 1, 0, 1};
  const std::vector<double> scores{0.5, 0.5, 0.9, 0.1, 0.5}, reversed_scores{0.5, 0.1, 0.9, 0.5, 0.5};
  const RankedScores ranked(labels, scores), reversed(reversed_labels, reversed_scores);
  EXPECT_EQ(ranked.auc(), reversed.auc());
  EXPECT_EQ(ranked.average_precision(), reversed.average_precision());
  EXPECT_EQ(ranked.ks(), reversed.ks());
}

TEST(Roc, RecallAtAFixedSpecificity) {
  //                                  negatives at 0.8, 0.4, 0.3, 0.2, 0.1
  const std::vector<int64_t> labels{1, 0, 1, 1, 0, 1, 0, 0, 0};
  const std::vector<double> scores{0.9, 0.8, 0.7, 0.6, 0.4, 0.35, 0.3, 0.2, 0.1};
  const RankedScores ranked(labels, scores);
  EXPECT_EQ(ranked.recall_at_specificity(1), 0.25);
  EXPECT_EQ(ranked.recall_at_specificity(0.95), 0.25);
  EXPECT_EQ(ranked.recall_at_specificity(0.8), 0.75);
  EXPECT_EQ(ranked.recall_at_specificity(0.6), 1);
  EXPECT_EQ(ranked.recall_at_specificity(0), 1);
  const std::vector<double> tied(9, 0.5);  // all or none
  EXPECT_EQ(RankedScores(labels, tied).recall_at_specificity(0.9), 0);
  EXPECT_TRUE(std::isnan(RankedScores(std::vector<int64_t>{1, 1}, std::vector<double>{0.2, 0.7}).recall_at_specificity(0.9)));
}

TEST(Roc, UndefinedIsNan) {
  const std::vector<int64_t> positives{1, 1}, negatives{0, 0}, both{1, 0};
  const std::vector<double> scores{0.2, 0.7};
  EXPECT_TRUE(std::isnan(RankedScores(positives, scores).auc()));
  EXPECT_TRUE(std::isnan(RankedScores(positives, scores).ks()));
  EXPECT_EQ(RankedScores(positives, scores).average_precision(), 1);
  EXPECT_TRUE(std::isnan(RankedScores(negatives, scores).auc()));
  EXPECT_TRUE(std::isnan(RankedScores(negatives, scores).average_precision()));
  EXPECT_TRUE(std::isnan(RankedScores({}, {}).auc()));
  const std::vector<int32_t> only_first{2, 0};
  EXPECT_TRUE(std::isnan(RankedScores(both, scores).auc(only_first)));
  EXPECT_TRUE(std::isnan(RankedScores(both, scores).ks(only_first)));
}

TEST(Roc, InfiniteScoresAreScores) {
  const std::vector<int64_t> labels{1, 0, 1};
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<double> scores{infinity, -infinity, infinity};
  EXPECT_EQ(RankedScores(labels, scores).auc(), 1);
}

TEST(Roc, RefusesWhatIsNotAScore) {
  const std::vector<int64_t> labels{1, 0};
  const std::vector<double> nan{0.1, std::nan("")}, three{1, 2, 3};
  EXPECT_THAT(error_of<DataError>([&] { RankedScores(labels, nan); }), HasSubstr("got NaN as the score of sample 1"));
  EXPECT_THAT(error_of<ShapeError>([&] { RankedScores(labels, three); }), HasSubstr("got 3 scores"));
}

}  // namespace
}  // namespace danlu::eval
