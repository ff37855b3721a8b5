#include "danlu/eval/language.h"

#include <gtest/gtest.h>

#include <cmath>

#include "danlu/base/error.h"

namespace danlu::eval {
namespace {

TEST(LanguageScore, IsTheCrossEntropyOfTheTargetsThatCount) {
  const std::vector<float> logits = {std::log(0.5f), std::log(0.25f), std::log(0.25f),   // target 0: log 2
                                     std::log(0.1f), std::log(0.8f),  std::log(0.1f),    // does not count
                                     std::log(0.1f), std::log(0.7f),  std::log(0.2f)};   // target 2: log 5
  LanguageScore score;
  score.add(logits, std::vector<int64_t>{0, -1, 2}, 3);
  EXPECT_EQ(score.tokens, 2);
  EXPECT_EQ(score.correct, 1);
  EXPECT_NEAR(score.nats, std::log(10.0), 1e-6);
  const LanguageReport report = summarize(std::vector<LanguageScore>{score}, 5);
  EXPECT_NEAR(report.loss, std::log(10.0) / 2, 1e-6);
  EXPECT_NEAR(report.perplexity, std::sqrt(10.0), 1e-5);
  EXPECT_NEAR(report.bits_per_byte, std::log2(10.0) / 5, 1e-6);
  EXPECT_DOUBLE_EQ(report.token_accuracy, 0.5);
}

TEST(LanguageScore, LogitsOfAnySizeAreFinite) {
  LanguageScore score;
  score.add(std::vector<float>{1e4f, -1e4f}, std::vector<int64_t>{1}, 2);
  EXPECT_DOUBLE_EQ(score.nats, 2e4);
}

TEST(LanguageScore, WordsOfMisuse) {
  LanguageScore score;
  EXPECT_THROW(score.add(std::vector<float>{1, 2}, std::vector<int64_t>{0}, 3), ShapeError);
  EXPECT_THROW(score.add(std::vector<float>{1, 2}, std::vector<int64_t>{2}, 2), ShapeError);
  EXPECT_THROW(summarize(std::vector<LanguageScore>(3), 10), DataError);
}

TEST(LanguageReport, TheIntervalHoldsTheLossAndNarrowsWithMoreText) {
  const auto report_of = [](int windows) {
    std::vector<LanguageScore> scores;
    for (int i = 0; i < windows; ++i) scores.push_back({100.0 + 10 * (i % 3), 100, 20});
    return summarize(scores, 300 * windows);
  };
  const LanguageReport few = report_of(9), many = report_of(900);
  EXPECT_LE(few.loss_interval.low, few.loss);
  EXPECT_GE(few.loss_interval.high, few.loss);
  EXPECT_LT(many.loss_interval.high - many.loss_interval.low, few.loss_interval.high - few.loss_interval.low);
}

}  // namespace
}  // namespace danlu::eval
