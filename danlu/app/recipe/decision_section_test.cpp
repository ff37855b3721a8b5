#include "danlu/app/recipe/decision_section.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/rng.h"

namespace danlu::app {
namespace {

using data::TaskKind;
using testing::HasSubstr;

// Logits twice as large as the truth's, so that the answers are too sure.
struct HeldOut {
  Tensor outputs = Tensor::empty({2000, 1});
  std::vector<int64_t> labels;
  HeldOut() {
    Rng rng(11);
    for (int64_t i = 0; i < 2000; ++i) {
      const float z = 4 * rng.normal();
      outputs.mutable_data()[i] = z;
      labels.push_back(rng.uniform() < 1 / (1 + std::exp(-z / 2)) ? 1 : 0);
    }
  }
};

DecisionSection section(const std::string& json) {
  DecisionSection options;
  read_options(parse_json(json, "test"), options);
  return options;
}

TEST(DecisionSection, NothingAskedNothingDone) {
  const infer::Decision d = decide({}, TaskKind::binary, {}, {});
  EXPECT_EQ(d.to_json(), infer::Decision().to_json());
  EXPECT_FALSE(DecisionSection().is_fitted());
}

TEST(DecisionSection, CalibratesWhatIsTooSure) {
  const HeldOut h;
  Json facts;
  const infer::Decision d = decide(section(R"({"calibrate": "auto"})"), TaskKind::binary, h.outputs, h.labels, &facts);
  EXPECT_NEAR(d.scale, 0.5, 0.05);
  EXPECT_TRUE(facts["calibration"]["kept"].get<bool>());
  EXPECT_EQ(d.threshold, 0.5);
  // What has been calibrated needs no more of it.
  const infer::Decision again = decide(section(R"({"calibrate": "auto"})"), TaskKind::binary, d.calibrated(h.outputs), h.labels, &facts);
  EXPECT_EQ(again.scale, 1);
  EXPECT_FALSE(facts["calibration"]["kept"].get<bool>());
}

TEST(DecisionSection, TheThresholdFollowsTheCosts) {
  const HeldOut h;
  const auto threshold = [&](double missed) {
    return decide(section(fmt::format(R"({{"calibrate": "always", "threshold": "cost", "costs": {{"false_negative": {}}}}})", missed)), TaskKind::binary, h.outputs, h.labels).threshold;
  };
  EXPECT_NEAR(threshold(1), 1.0 / 2, 0.12);
  EXPECT_NEAR(threshold(4), 1.0 / 5, 0.1);
  EXPECT_NEAR(threshold(19), 1.0 / 20, 0.05);
}

TEST(DecisionSection, AFixedShareOfOneClassThenTheBestOfTheOther) {
  const HeldOut h;
  const auto rates = [&](const Json& threshold) {
    const infer::Decision d = decide(section(to_line({{"threshold", threshold}})), TaskKind::binary, h.outputs, h.labels);
    double found = 0, positives = 0, spared = 0, negatives = 0;
    for (size_t i = 0; i < h.labels.size(); ++i) {
      const double p = 1 / (1 + std::exp(-static_cast<double>(h.outputs.data()[i])));
      (h.labels[i] == 1 ? positives : negatives) += 1;
      (h.labels[i] == 1 ? found : spared) += (p >= d.threshold - 1e-7) == (h.labels[i] == 1);
    }
    return std::pair(found / positives, spared / negatives);
  };
  EXPECT_NEAR(rates({{"recall", 0.9}}).first, 0.9, 0.003);
  EXPECT_NEAR(rates({{"specificity", 0.95}}).second, 0.95, 0.003);
}

TEST(DecisionSection, AbstainsForCoverageOrAccuracy) {
  const HeldOut h;
  Json facts;
  const infer::Decision covering = decide(section(R"({"abstain": {"coverage": 0.8}})"), TaskKind::binary, h.outputs, h.labels, &facts);
  EXPECT_GT(covering.least_confidence, 0.5);
  EXPECT_NEAR(facts["abstain"]["coverage"].get<double>(), 0.8, 0.001);
  decide(section(R"({"abstain": {"accuracy": 0.9}})"), TaskKind::binary, h.outputs, h.labels, &facts);
  EXPECT_GE(facts["abstain"]["accuracy"].get<double>(), 0.9);
  EXPECT_GT(facts["abstain"]["coverage"].get<double>(), 0.5);
}

TEST(DecisionSection, MeasuresOfATestSplit) {
  const std::vector<int64_t> labels{1, 1, 0, 0};
  const std::vector<double> p{0.9, 0.45, 0.55, 0.1};
  const DecisionSection wanted = section(R"({"threshold": "cost", "costs": {"false_negative": 5}, "abstain": {"coverage": 0.5}})");
  const Json metrics = decision_metrics(wanted, {.least_confidence = 0.6}, eval::Predictions::classification(labels, p, 2), 0);
  EXPECT_DOUBLE_EQ(metrics["coverage"]["value"].get<double>(), 0.5);
  EXPECT_DOUBLE_EQ(metrics["answered_accuracy"]["value"].get<double>(), 1);
  EXPECT_DOUBLE_EQ(metrics["mean_cost"]["value"].get<double>(), (5.0 + 1) / 4);
  EXPECT_EQ(metrics["mean_cost"]["better"], "lower");
  EXPECT_THAT(decision_metric_names(wanted), testing::ElementsAre("coverage", "answered_accuracy", "mean_cost"));
}

TEST(DecisionSection, WantsWhatItsPartsNeed) {
  const auto refusal = [](const std::string& json, TaskKind task, const std::vector<std::string>& classes, bool validation) -> std::string {
    try {
      check_decision_fits(section(json), task, classes, validation);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(refusal(R"({"calibrate": "auto"})", TaskKind::binary, {"a", "b"}, false), HasSubstr("set data.split.validation above 0, or decision.folds to 5"));
  EXPECT_EQ(refusal(R"({"calibrate": "auto", "folds": 5})", TaskKind::binary, {"a", "b"}, false), "accepted");
  EXPECT_EQ(refusal(R"({"threshold": 0.3})", TaskKind::binary, {"a", "b"}, false), "accepted");
  EXPECT_THAT(refusal(R"({"threshold": "cost"})", TaskKind::multiclass, {"a", "b", "c"}, true), HasSubstr("is for two classes"));
  EXPECT_EQ(refusal(R"({"calibrate": "auto"})", TaskKind::multiclass, {"a", "b", "c"}, true), "accepted");
  EXPECT_THAT(refusal(R"({"calibrate": "auto"})", TaskKind::regression, {}, true), HasSubstr("is for classes"));
  EXPECT_THAT(refusal(R"({"abstain": {"coverage": 0.9}})", TaskKind::binary, {"answer", "abstain"}, true), HasSubstr("is called \"abstain\" itself"));
}

}  // namespace
}  // namespace danlu::app
