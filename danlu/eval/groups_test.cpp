#include "danlu/eval/groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "danlu/base/error.h"

namespace danlu::eval {
namespace {

TEST(Groups, RatesAndGapsByHand) {
  // 20 of group a: 10 positive, of which 8 are found; 10 negative, of which 2 are called positive.
  // 20 of group b: 4 positive, of which 2 are found; 16 negative, none called positive. One of group c.
  std::vector<int64_t> labels;
  std::vector<double> probabilities;
  std::vector<std::string> groups;
  const auto add = [&](const char* group, int64_t label, double p, int count) {
    for (int i = 0; i < count; ++i) {
      labels.push_back(label);
      probabilities.push_back(p);
      groups.emplace_back(group);
    }
  };
  add("a", 1, 0.9, 8), add("a", 1, 0.2, 2), add("a", 0, 0.7, 2), add("a", 0, 0.1, 8);
  add("b", 1, 0.8, 2), add("b", 1, 0.3, 2), add("b", 0, 0.1, 16);
  add("c", 0, 0.9, 1);
  const GroupReport report = compare_groups(Predictions::classification(labels, probabilities, 2), groups);
  ASSERT_EQ(report.groups.size(), 3u);
  const GroupMeasures &a = report.groups[0], &b = report.groups[1], &c = report.groups[2];
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.samples, 20);
  EXPECT_DOUBLE_EQ(a.base_rate, 0.5);
  EXPECT_DOUBLE_EQ(a.selection_rate, 0.5);
  EXPECT_DOUBLE_EQ(a.recall, 0.8);
  EXPECT_DOUBLE_EQ(a.false_positive_rate, 0.2);
  EXPECT_DOUBLE_EQ(a.accuracy, 0.8);
  EXPECT_DOUBLE_EQ(a.mean_probability, (8 * 0.9 + 2 * 0.2 + 2 * 0.7 + 8 * 0.1) / 20);
  EXPECT_DOUBLE_EQ(b.recall, 0.5);
  EXPECT_DOUBLE_EQ(b.selection_rate, 0.1);
  EXPECT_DOUBLE_EQ(b.auc, 1);
  EXPECT_TRUE(std::isnan(c.recall));  // without positives
  // The group of one has no say.
  EXPECT_DOUBLE_EQ(report.selection_rate_gap, 0.4);
  EXPECT_NEAR(report.recall_gap, 0.3, 1e-12);
  EXPECT_DOUBLE_EQ(report.false_positive_rate_gap, 0.2);
  EXPECT_TRUE(to_json(report)["groups"][2]["recall"].is_null());
  EXPECT_THAT(to_text(report), testing::HasSubstr("undefined"));
}

TEST(Groups, WantsTwoClassesAndAGroupForEachSample) {
  const std::vector<int64_t> labels{0, 1, 2};
  const std::vector<double> three{1, 0, 0, 0, 1, 0, 0, 0, 1}, one{0.2, 0.7};
  const std::vector<std::string> groups{"a", "b", "a"};
  EXPECT_THROW(compare_groups(Predictions::classification(labels, three, 3), groups), ConfigError);
  EXPECT_THROW(compare_groups(Predictions::classification(std::vector<int64_t>{0, 1}, one, 2), groups), ShapeError);
}

}  // namespace
}  // namespace danlu::eval
