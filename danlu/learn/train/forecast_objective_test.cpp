#include "danlu/learn/train/forecast_objective.h"

#include <gtest/gtest.h>

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/movement.h"

namespace danlu::train {
namespace {

// Says its parameter, (rows, 2), whatever it is shown.
class Stubborn : public nn::Module {
 public:
  explicit Stubborn(const Tensor& says) : says_(add_parameter("says", says)) {}
  Tensor forward(const Tensor&) override { return reshape(says_, says_.shape()); }
  std::string describe() const override { return "Stubborn"; }
  Tensor gradient() const { return says_.grad(); }

 private:
  Tensor says_;
};

data::Batch batch_of(const Tensor& y) {
  data::Batch batch;
  batch.x = Tensor::zeros({y.size(0), 3, 1});
  batch.y = y;
  for (int64_t i = 0; i < y.size(0); ++i) batch.indexes.push_back(i);
  return batch;
}

TEST(ForecastObjective, WhatWasNotMeasuredCountsNowhere) {
  Stubborn model(Tensor::from({2, 2}, {1, 7, 4, 0}));
  const data::Batch batch = batch_of(Tensor::from({2, 2}, {0, NAN, 2, 3}));
  const ForecastObjective objective(ObjectiveOptions{});
  const Tensor loss = objective.evaluate(model, batch).loss;
  EXPECT_FLOAT_EQ(loss.item(), (1 + 4 + 9) / 3.0f);
  EXPECT_EQ(objective.terms(batch), 3);
  backward(loss);
  EXPECT_EQ(model.gradient().data()[1], 0);
  EXPECT_FLOAT_EQ(model.gradient().data()[3], -2);
}

TEST(ForecastObjective, MembersThatLearnTogetherAreEachComparedWithTheTruth) {
  Stubborn model(Tensor::from({4, 2}, {1, 7, 4, 0, 0, 7, 2, 5}));
  const data::Batch batch = batch_of(Tensor::from({2, 2}, {0, NAN, 2, 3}));
  ObjectiveOptions mae;
  mae.regression_loss = "mae";
  EXPECT_FLOAT_EQ(ForecastObjective(mae).evaluate(model, batch).loss.item(), (1 + 2 + 3 + 0 + 0 + 2) / 6.0f);
}

TEST(ForecastObjective, RefusesAnotherHorizon) {
  Stubborn model(Tensor::from({2, 2}, {1, 7, 4, 0}));
  EXPECT_THROW(ForecastObjective(ObjectiveOptions{}).evaluate(model, batch_of(Tensor::zeros({2, 3}))), ShapeError);
}

}  // namespace
}  // namespace danlu::train
