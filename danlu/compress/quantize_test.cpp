#include "danlu/compress/quantize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/rng.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/random.h"
#include "danlu/learn/nn/init.h"
#include "danlu/learn/nn/layers.h"

namespace danlu::compress {
namespace {

using testing::HasSubstr;

std::vector<float> normal_values(size_t count, float scale = 1) {
  Rng rng(1);
  std::vector<float> values(count);
  for (float& v : values) v = scale * rng.normal();
  return values;
}

Tensor normal_tensor(const Shape& shape) {
  Tensor x = Tensor::empty(shape);
  nn::normal(x, 1);
  return x;
}

TEST(ChooseRange, IsNearlyAllThatWasSeenWhereNothingStandsOut) {
  std::vector<float> even;
  for (int i = 0; i <= 1000; ++i) even.push_back(static_cast<float>(i) / 1000);
  const InputRange range = choose_range(even);
  EXPECT_EQ(range.low, 0);
  EXPECT_NEAR(range.high, 1, 0.01);
}

TEST(ChooseRange, LeavesOutAFewThatWouldMakeTheStepsCoarse) {
  std::vector<float> values = normal_values(1000000, 0.001f);
  values.push_back(0.1f);
  const InputRange range = choose_range(values);
  EXPECT_LT(range.percentile, 100) << "one number a hundred times as large as the others";
  values.back() = 1000;
  EXPECT_EQ(choose_range(values).percentile, 100) << "cutting it off would err more than all the rounding";
}

TEST(ChooseRange, OfNothingButZeros) {
  const InputRange range = choose_range({0, 0, 0});
  EXPECT_EQ(range.low, 0);
  EXPECT_EQ(range.high, 0);
}

TEST(Calibrate, SeesTheInputsOfEachLayer) {
  const NoGrad no_grad;
  nn::Sequential model(nn::Linear(3, 4), nn::ReLU(), nn::Linear(4, 2));
  Tensor x = Tensor::zeros({10, 3});
  x.mutable_data()[7] = -2;
  x.mutable_data()[8] = 5;
  const InputRanges ranges = calibrate(model, [&] { model(x); });
  ASSERT_EQ(ranges.size(), 2u);
  EXPECT_EQ(ranges.at("0").low, -2);
  EXPECT_EQ(ranges.at("0").high, 5);
  EXPECT_EQ(ranges.at("2").low, 0) << "what comes after ReLU is never negative";
}

TEST(Calibrate, NamesTheLayerOfInputsThatWillNotDo) {
  const NoGrad no_grad;
  nn::Sequential model(nn::Linear(2, 2), nn::Linear(2, 2));
  EXPECT_THAT([&] { calibrate(model, [&] { model(Tensor::full({1, 2}, NAN)); }); }, testing::ThrowsMessage<DataError>(HasSubstr("layer 0: got a nan")));
  EXPECT_THAT([&] { calibrate(model, [] {}); }, testing::ThrowsMessage<DataError>(HasSubstr("layer 0 was not asked")));
  model(Tensor::full({1, 2}, NAN));  // nobody watches any more
}

// Rounding to 8 bits errs by about a hundredth of what is told.
TEST(ToInt8, SaysNearlyTheSame) {
  const NoGrad no_grad;
  manual_seed(3);
  const auto make = [] { return nn::Sequential(nn::Conv2d(2, 8, 3, {.padding = 1}), nn::ReLU(), nn::MaxPool2d(2), nn::Flatten(), nn::Linear(8 * 16, 32), nn::Tanh(), nn::Linear(32, 5)); };
  nn::Sequential real = make();
  real.eval();
  const Tensor x = normal_tensor({50, 8, 8, 2});
  const Tensor expected = real(x).clone();
  to_int8(real, calibrate(real, [&] { real(x); }));
  const Tensor got = real(x);
  double error = 0, size = 0;
  for (int64_t i = 0; i < got.numel(); ++i) {
    error += std::pow(static_cast<double>(got.data()[i] - expected.data()[i]), 2);
    size += std::pow(static_cast<double>(expected.data()[i]), 2);
  }
  EXPECT_LT(std::sqrt(error / size), 0.02);
  EXPECT_GT(error, 0) << "8 bits do not tell everything";
}

TEST(ToInt8, AnOutputWithoutWeightsIsItsBias) {
  const NoGrad no_grad;
  nn::Sequential model(nn::Linear(4, 2));
  auto& layer = static_cast<nn::Linear&>(*model.children()[0].second);
  layer.weight.fill(0);
  layer.bias.copy_from(Tensor::from({2}, {1.5f, -2}));
  const Tensor x = normal_tensor({3, 4});
  to_int8(model, calibrate(model, [&] { model(x); }));
  EXPECT_EQ(model(x).to_vector(), (std::vector<float>{1.5f, -2, 1.5f, -2, 1.5f, -2}));
}

}  // namespace
}  // namespace danlu::compress
