#include "danlu/app/recipe/faq_quality.h"

#include <gtest/gtest.h>

#include <cmath>

#include "danlu/base/error.h"

namespace danlu::app {
namespace {

TEST(FaqQuality, OutcomesOfChoices) {
  // Two entries and "none of them", one feature.
  const std::vector<double> weights{1};
  const Asked right = outcome_of({{2, 0, 1}, 0}, weights), second = outcome_of({{2, 0, 1}, 1}, weights), none = outcome_of({{2, 0, 1}, 2}, weights);
  const double sum = std::exp(2) + 1 + std::exp(1);
  EXPECT_NEAR(right.confidence, std::exp(2) / sum, 1e-6);
  EXPECT_EQ(right.rank, 1);
  EXPECT_EQ(second.rank, 2);
  EXPECT_EQ(second.first, 0);
  EXPECT_FALSE(none.has_answer);
  EXPECT_EQ(none.rank, 0);
  EXPECT_EQ(none.confidence, right.confidence);
}

TEST(FaqQuality, EqualScoresAreInTheOrderOfTheAnswers) {
  const std::vector<double> scores{1, 3, 1, 3};
  EXPECT_EQ(rank_of(scores, 1), 1);
  EXPECT_EQ(rank_of(scores, 3), 2);
  EXPECT_EQ(rank_of(scores, 0), 3);
  EXPECT_EQ(rank_of(scores, 2), 4);
}

TEST(FaqQuality, OfRanks) {
  const std::vector<int64_t> ranks{1, 2, 4, 1};
  const Json metrics = ranking_metrics(ranks, {});
  EXPECT_EQ(metrics["recall@1"]["value"], 0.5);
  EXPECT_EQ(metrics["recall@3"]["value"], 0.75);
  EXPECT_EQ(metrics["mrr"]["value"], (1 + 0.5 + 0.25 + 1) / 4);
  EXPECT_LT(metrics["mrr"]["interval"][0].get<double>(), metrics["mrr"]["value"].get<double>());
  const std::vector<int64_t> worse{2, 2, 4, 1};
  EXPECT_DOUBLE_EQ(compare_ranks(ranks, worse, {}).difference, 0.125);
  EXPECT_THROW(ranking_metrics({}, {}), DataError);
}

TEST(FaqQuality, OfAnswersGivenAndHandedOver) {
  const std::vector<Asked> asked{{true, 1, 0, 0.9}, {true, 1, 0, 0.4}, {true, 3, 0, 0.8}, {false, 0, 0, 0.7}, {false, 0, 0, 0.1}};
  const Json m = answering_metrics(asked, 0.5, {});
  EXPECT_DOUBLE_EQ(m["precision"]["value"].get<double>(), 1.0 / 3);
  EXPECT_DOUBLE_EQ(m["coverage"]["value"].get<double>(), 2.0 / 3);
  EXPECT_DOUBLE_EQ(m["off_topic_coverage"]["value"].get<double>(), 0.5);
  EXPECT_EQ(m["off_topic_coverage"]["better"], "lower");
  EXPECT_TRUE(answering_metrics(asked, 0.95, {})["precision"]["value"].is_null()) << "no answer is given";
  EXPECT_FALSE(answering_metrics(std::span(asked).first(3), 0.5, {}).contains("off_topic_coverage"));
  for (const auto& [name, measure] : m.items()) {
    const auto names = faq_metrics(true);
    EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << name;
  }
}

}  // namespace
}  // namespace danlu::app
