#include "danlu/eval/ranking.h"

#include <gmock/gmock.h>

#include <cmath>

#include "danlu/base/error.h"

namespace danlu::eval {
namespace {

using testing::ElementsAre;

const std::vector<float> kScores = {0.5f, 3, 3, -1, 2};

TEST(Ranking, OrdersByScoreAndThenByItem) {
  EXPECT_THAT(top_items(kScores, {}, 10), ElementsAre(1, 2, 4, 0, 3));
  EXPECT_THAT(top_items(kScores, std::vector<int64_t>{2, 0}, 2), ElementsAre(1, 4));
  EXPECT_TRUE(top_items(kScores, {}, 0).empty());
  EXPECT_THAT(top_items(std::vector<float>{NAN, 1, NAN, 2}, {}, 4), ElementsAre(3, 1, 0, 2)) << "what is no number comes last";
  const std::vector<int64_t> chosen = {2, 3}, met = {1};
  EXPECT_THAT(rank(kScores, chosen, met, 1).ranks, ElementsAre(1, 4));
  EXPECT_THROW(rank(kScores, met, met, 1), ShapeError);
  EXPECT_THROW(rank(kScores, std::vector<int64_t>{5}, {}, 1), ShapeError);
}

TEST(Ranking, MeasuresOneUser) {
  const RankedUser user = rank(kScores, std::vector<int64_t>{2, 0, -2}, {}, 2);  // ranks 2 and 4; the third is in no catalogue
  EXPECT_THAT(user.ranks, ElementsAre(2, 4));
  EXPECT_DOUBLE_EQ(recall_at(user, 2), 1.0 / 3);
  EXPECT_DOUBLE_EQ(recall_at(user, 10), 2.0 / 3);
  EXPECT_DOUBLE_EQ(average_precision(user), (1.0 / 2 + 2.0 / 4) / 3);
  const double best = 1 + 1 / std::log2(3.0);
  EXPECT_DOUBLE_EQ(ndcg_at(user, 2), 1 / std::log2(3.0) / best);
  EXPECT_DOUBLE_EQ(ndcg_at(user, 10), (1 / std::log2(3.0) + 1 / std::log2(5.0)) / (best + 1 / std::log2(4.0)));
}

TEST(Ranking, SumsUpOverUsersAndTheCatalogue) {
  std::vector<RankedUser> users;
  for (const int64_t chosen : {1, 4, -2}) users.push_back(rank(kScores, {&chosen, 1}, {}, 1));
  const RankingReport report = summarize(users, 5, 1);
  ASSERT_EQ(report.metrics.size(), 4u);
  EXPECT_EQ(report.metrics[0].name, "ndcg@1");
  EXPECT_DOUBLE_EQ(report.metrics[0].value, 1.0 / 3);
  EXPECT_LE(report.metrics[0].interval.low, 1.0 / 3);
  EXPECT_GE(report.metrics[0].interval.high, 1.0 / 3);
  EXPECT_DOUBLE_EQ(report.metrics[2].value, (1 + 1.0 / 3) / 3) << "the mean of average precision";
  EXPECT_DOUBLE_EQ(report.metrics[3].value, 1.0 / 5) << "everybody got the same item";
  EXPECT_FALSE(to_json(report)["coverage@1"].contains("interval"));
  EXPECT_THROW(summarize({}, 5, 1), DataError);
  const std::vector<RankedUser> worse = {users[2], users[2], users[2]};
  EXPECT_DOUBLE_EQ(compare_ndcg(users, worse, 1).difference, 1.0 / 3);
  EXPECT_THROW(compare_ndcg(users, std::span(worse).first(2), 1), ShapeError);
}

}  // namespace
}  // namespace danlu::eval
