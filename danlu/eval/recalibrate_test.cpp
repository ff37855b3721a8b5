#include "danlu/eval/recalibrate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/rng.h"

namespace danlu::eval {
namespace {

struct Sample {
  std::vector<int64_t> labels;
  std::vector<float> logits;
};

// Logits that are right up to scale and offset: the truth is sigmoid(scale z + offset).
Sample binary(double scale, double offset, int count) {
  Rng rng(3);
  Sample s;
  for (int i = 0; i < count; ++i) {
    const double z = 3 * static_cast<double>(rng.normal());
    s.logits.push_back(static_cast<float>(z));
    s.labels.push_back(static_cast<double>(rng.uniform()) < 1 / (1 + std::exp(-scale * z - offset)) ? 1 : 0);
  }
  return s;
}

TEST(Recalibrate, PlattFindsWhatTheLogitsLack) {
  const Sample s = binary(0.4, -1, 20000);
  const LogitScale fit = fit_platt(s.labels, s.logits);
  EXPECT_NEAR(fit.scale, 0.4, 0.02);
  EXPECT_NEAR(fit.offset, -1, 0.04);
  EXPECT_LT(scaled_log_loss(s.labels, s.logits, 1, fit), scaled_log_loss(s.labels, s.logits, 1, {}));
  EXPECT_GT(cross_fitted_gain(s.labels, s.logits, 1), 0.1);
}

TEST(Recalibrate, WhatIsRightStaysAsItIs) {
  const Sample s = binary(1, 0, 400);
  EXPECT_LT(cross_fitted_gain(s.labels, s.logits, 1), 1e-3);
}

TEST(Recalibrate, ClassesThatCanBeToldApartHaveAFiniteFit) {
  const LogitScale fit = fit_platt(std::vector<int64_t>{0, 0, 1, 1}, std::vector<float>{-1, -2, 1, 2});
  EXPECT_TRUE(std::isfinite(fit.scale) && std::isfinite(fit.offset));
  EXPECT_GT(fit.scale, 0);
  // Answers that are worse than chance are not turned round.
  EXPECT_GT(fit_platt(std::vector<int64_t>{1, 1, 0, 0}, std::vector<float>{-1, -2, 1, 2}).scale, 0);
}

TEST(Recalibrate, TemperatureOfThreeClasses) {
  Rng rng(4);
  Sample s;
  for (int i = 0; i < 20000; ++i) {
    double weights[3], sum = 0;
    for (double& w : weights) {
      const double z = 2 * static_cast<double>(rng.normal());
      s.logits.push_back(static_cast<float>(z));
      sum += w = std::exp(z / 2.5);
    }
    double u = static_cast<double>(rng.uniform()) * sum;
    int64_t label = 0;
    while (label < 2 && (u -= weights[label]) > 0) ++label;
    s.labels.push_back(label);
  }
  const LogitScale fit = fit_temperature(s.labels, s.logits, 3);
  EXPECT_NEAR(1 / fit.scale, 2.5, 0.1);
  EXPECT_EQ(fit.offset, 0);
  EXPECT_GT(cross_fitted_gain(s.labels, s.logits, 3), 0.05);
}

TEST(Recalibrate, WantsSamplesOfBothClasses) {
  EXPECT_THROW(fit_platt(std::vector<int64_t>{1, 1}, std::vector<float>{1, 2}), DataError);
  EXPECT_THROW(fit_platt(std::vector<int64_t>{1}, std::vector<float>{1, 2}), ShapeError);
  EXPECT_THROW(fit_temperature({}, {}, 3), DataError);
  EXPECT_TRUE(std::isnan(cross_fitted_gain(std::vector<int64_t>{1, 0}, std::vector<float>{1, 2}, 1)));
}

}  // namespace
}  // namespace danlu::eval
