#include "danlu/infer/decision.h"

#include <gtest/gtest.h>

#include <array>

#include "danlu/base/error.h"

namespace danlu::infer {
namespace {

using Two = std::array<double, 2>;

TEST(Decision, TheSecondClassFromTheThresholdOn) {
  EXPECT_EQ(Decision().choose(Two{0.5, 0.5}), 1);
  EXPECT_EQ(Decision().choose(Two{0.51, 0.49}), 0);
  const Decision careful{.threshold = 0.2};
  EXPECT_EQ(careful.choose(Two{0.8, 0.2}), 1);
  EXPECT_EQ(careful.choose(Two{0.81, 0.19}), 0);
  EXPECT_EQ(careful.choose(std::array<double, 3>{0.2, 0.5, 0.3}), 1);  // the most probable of more
}

TEST(Decision, ConfidenceIsTheProbabilityOfTheAnswer) {
  EXPECT_DOUBLE_EQ(Decision().confidence(Two{0.7, 0.3}), 0.7);
  EXPECT_DOUBLE_EQ(Decision().confidence(std::array<double, 3>{0.2, 0.5, 0.3}), 0.5);
  // With another threshold: by the odds against it. At the threshold itself nothing is known.
  const Decision careful{.threshold = 0.2};
  EXPECT_DOUBLE_EQ(careful.confidence(Two{0.8, 0.2}), 0.5);
  EXPECT_DOUBLE_EQ(careful.confidence(Two{0.5, 0.5}), 0.8);
  EXPECT_NEAR(careful.confidence(Two{1, 0}), 1, 1e-12);
}

TEST(Decision, AbstainsBelowItsConfidence) {
  EXPECT_FALSE(Decision().abstains(Two{0.5, 0.5}));
  const Decision d{.least_confidence = 0.7};
  EXPECT_TRUE(d.abstains(Two{0.6, 0.4}));
  EXPECT_TRUE(d.abstains(Two{0.35, 0.65}));
  EXPECT_FALSE(d.abstains(Two{0.2, 0.8}));
}

TEST(Decision, CalibrationIsOfLogits) {
  const Tensor z = Tensor::from({2, 1}, {1.0f, -2.0f});
  const Tensor y = Decision{.scale = 0.5, .offset = 1}.calibrated(z);
  EXPECT_EQ(y.shape(), z.shape());
  EXPECT_FLOAT_EQ(y.data()[0], 1.5f);
  EXPECT_FLOAT_EQ(y.data()[1], 0.0f);
}

TEST(Decision, ComesBackFromItsJson) {
  const Decision d{.scale = 0.83, .offset = -0.2, .threshold = 1.0 / 6, .least_confidence = 0.6};
  EXPECT_EQ(Decision::from_json(d.to_json(), "config.json").to_json(), d.to_json());
  EXPECT_EQ(Decision::from_json(Json::object(), "config.json").to_json(), Decision().to_json());
  for (const char* bad : {R"({"scale": 0})", R"({"scale": -1})", R"({"threshold": -0.1})", R"({"threshold": 3})", R"({"least_confidence": 1.5})", R"({"offset": 1e300})"}) {
    EXPECT_THROW(Decision::from_json(parse_json(bad, "test"), "config.json"), DataError) << bad;
  }
}

}  // namespace
}  // namespace danlu::infer
