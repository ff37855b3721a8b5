#include "danlu/eval/curves.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/rng.h"
#include "danlu/eval/roc.h"

namespace danlu::eval {
namespace {

// How far a point lies from a polyline.
double distance(double px, double py, const std::vector<double>& x, const std::vector<double>& y) {
  double least = HUGE_VAL;
  for (size_t i = 0; i + 1 < x.size(); ++i) {
    const double dx = x[i + 1] - x[i], dy = y[i + 1] - y[i], square = dx * dx + dy * dy;
    const double along = square == 0 ? 0 : std::clamp(((px - x[i]) * dx + (py - y[i]) * dy) / square, 0.0, 1.0);
    least = std::min(least, std::hypot(px - x[i] - along * dx, py - y[i] - along * dy));
  }
  return least;
}

TEST(Simplify, KeepsCornersAndDropsWhatLiesOnALine) {
  const std::vector<double> x = {0, 0, 0, 0.5, 1}, y = {0, 0.5, 1, 1, 1};
  EXPECT_EQ(simplify(x, y, 1e-9), (std::vector<size_t>{0, 2, 4}));
  EXPECT_EQ(simplify(std::vector<double>{3}, std::vector<double>{4}, 1), (std::vector<size_t>{0}));
  EXPECT_TRUE(simplify({}, {}, 1).empty());
  EXPECT_THROW(simplify(x, std::vector<double>{1}, 1), ShapeError);
}

TEST(Simplify, KeepsACurveThatTurnsBack) {
  const std::vector<double> x = {0, 1, 0}, y = {0, 0, 0};
  EXPECT_EQ(simplify(x, y, 0.1).size(), 3u);
}

TEST(Curves, OfManySamplesAreFewPointsNearTheTrueCurve) {
  Rng rng(1);
  std::vector<int64_t> labels;
  std::vector<double> scores;
  for (int i = 0; i < 20000; ++i) {
    labels.push_back(i % 3 == 0 ? 1 : 0);
    scores.push_back(std::clamp(0.3 * static_cast<double>(labels.back()) + 0.7 * static_cast<double>(rng.uniform()), 0.0, 1.0));
  }
  const std::vector<std::string> names = {"no", "yes"};
  const Json json = curves(Predictions::classification(labels, scores, 2), names);
  ASSERT_EQ(json["roc"].size(), 1u);
  EXPECT_EQ(json["roc"][0]["class"], "yes");
  const RocCurve whole = RankedScores(labels, scores).roc_curve();
  const auto x = json["roc"][0]["false_positive_rate"].get<std::vector<double>>();
  const auto y = json["roc"][0]["true_positive_rate"].get<std::vector<double>>();
  EXPECT_LT(x.size(), 1000u);
  for (size_t i = 0; i < whole.thresholds.size(); i += 37) {
    EXPECT_LT(distance(whole.false_positive_rate[i], whole.true_positive_rate[i], x, y), 6e-4);
  }
  EXPECT_EQ(json["precision_recall"][0]["precision"].back(), 1.0);
}

TEST(Curves, OfManyClassesLeaveOutOneWithoutSamples) {
  const std::vector<int64_t> labels = {0, 1, 0, 1};
  const std::vector<double> probabilities = {0.8, 0.1, 0.1, 0.2, 0.7, 0.1, 0.5, 0.4, 0.1, 0.3, 0.3, 0.4};
  const std::vector<std::string> names = {"a", "b", "c"};
  const Json json = curves(Predictions::classification(labels, probabilities, 3), names);
  ASSERT_EQ(json["roc"].size(), 2u);
  EXPECT_EQ(json["roc"][1]["class"], "b");
  EXPECT_EQ(json["roc"][0]["area"], 1.0);
}

TEST(Curves, OfNumbersAreSamplesOfAll) {
  std::vector<double> targets(2500), values(2500);
  for (size_t i = 0; i < targets.size(); ++i) targets[i] = values[i] = static_cast<double>(i);
  const Json json = curves(Predictions::regression(targets, values), {});
  EXPECT_EQ(json["scatter"]["actual"].size(), 1000u);
  EXPECT_EQ(json["scatter"]["predicted"][999], 2497.0);
}

}  // namespace
}  // namespace danlu::eval
