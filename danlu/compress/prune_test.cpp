#include "danlu/compress/prune.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/compress/channels.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/random.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/nn/init.h"

namespace danlu::compress {
namespace {

using testing::HasSubstr;

nn::Linear& linear(nn::Sequential& model, size_t i) { return static_cast<nn::Linear&>(*model.children()[i].second); }
int64_t zeros(const Tensor& weight) { return std::count(weight.span().begin(), weight.span().end(), 0.0f); }

TEST(Pruning, TakesTheSmallestOfAllOrOfEach) {
  const auto make = [] {
    nn::Sequential model(nn::Linear(4, 1), nn::Linear(4, 1));
    linear(model, 0).weight.copy_from(Tensor::from({1, 4}, {1, -2, 3, -4}));
    linear(model, 1).weight.copy_from(Tensor::from({1, 4}, {10, 20, -30, 40}));
    return model;
  };
  nn::Sequential all = make(), each = make();
  Pruning global(all, parse_target("sparse=0.5"), Scope::global);
  global.choose(1);
  global.apply();
  EXPECT_EQ(linear(all, 0).weight.to_vector(), (std::vector<float>{0, 0, 0, 0}));
  EXPECT_EQ(linear(all, 1).weight.to_vector(), (std::vector<float>{10, 20, -30, 40}));
  Pruning layer(each, parse_target("sparse=0.5"), Scope::layer);
  layer.choose(1);
  layer.apply();
  EXPECT_EQ(linear(each, 0).weight.to_vector(), (std::vector<float>{0, 0, 3, -4}));
  EXPECT_EQ(linear(each, 1).weight.to_vector(), (std::vector<float>{0, 0, -30, 40}));
  EXPECT_EQ(layer.sparsity(), 0.5);
}

TEST(Pruning, OfEqualWeightsNoMoreThanAskedFor) {
  nn::Sequential model(nn::Linear(10, 1));
  linear(model, 0).weight.fill(1);
  Pruning pruning(model, parse_target("sparse=0.3"), Scope::global);
  pruning.choose(1);
  pruning.apply();
  EXPECT_EQ(zeros(linear(model, 0).weight), 3);
}

TEST(Pruning, WhatIsGoneStaysGoneThoughItLearns) {
  nn::Sequential model(nn::Linear(8, 8));
  Pruning pruning(model, parse_target("sparse=0.75"), Scope::global);
  pruning.choose(0.5);
  pruning.apply();
  EXPECT_EQ(zeros(linear(model, 0).weight), 24);
  for (float& w : linear(model, 0).weight.mutable_span()) w += 0.5f;
  pruning.apply();
  EXPECT_EQ(zeros(linear(model, 0).weight), 24);
  pruning.choose(1);
  pruning.apply();
  EXPECT_EQ(zeros(linear(model, 0).weight), 48);
}

TEST(Pruning, OfEveryFourInARow) {
  nn::Sequential model(nn::Linear(8, 2), nn::Linear(2, 1));
  linear(model, 0).weight.copy_from(Tensor::from({2, 8}, {1, 2, 3, 4, -8, 7, -6, 5, 1, 1, 1, 1, 0, 0, 0, 9}));
  Pruning pruning(model, parse_target("2:4"), Scope::global);
  pruning.choose(1);
  pruning.apply();
  EXPECT_EQ(linear(model, 0).weight.to_vector(), (std::vector<float>{0, 0, 3, 4, -8, 7, 0, 0, 0, 0, 1, 1, 0, 0, 0, 9}));
  EXPECT_EQ(zeros(linear(model, 1).weight), 0) << "two inputs make no group of four";
  nn::Sequential narrow(nn::Linear(2, 1));
  EXPECT_THAT([&] { Pruning(narrow, parse_target("2:4"), Scope::global); }, testing::ThrowsMessage<ConfigError>(HasSubstr("a multiple of 4")));
}

TEST(CubicSchedule, GoesFastAtFirst) {
  EXPECT_EQ(cubic_schedule(0), 0);
  EXPECT_EQ(cubic_schedule(0.5), 0.875);
  EXPECT_EQ(cubic_schedule(1), 1);
  EXPECT_EQ(cubic_schedule(2), 1);
}

TEST(ToSparse, OnlyWhereItTakesLessRoom) {
  nn::Sequential model(nn::Linear(64, 4), nn::Linear(4, 2));
  Pruning pruning(model, parse_target("sparse=0.9"), Scope::layer);
  pruning.choose(1);
  linear(model, 0).weight.fill(0);
  to_sparse(model);
  EXPECT_NE(linear(model, 0).compact_weight(), nullptr);
  EXPECT_EQ(linear(model, 1).compact_weight(), nullptr);
}

// ---- Channels -------------------------------------------------------------------------------------------------------------

// A unit that says nothing is the first to go, and the answers are the same.
TEST(TakeChannels, OfAPerceptron) {
  const NoGrad no_grad;
  manual_seed(1);
  const models::ModelConfig config = models::parse_model({{"type", "mlp"}, {"hidden", {6, 4}}, {"batch_norm", true}});
  const auto model = config.make({3}, 2);
  model->eval();
  auto& chain = dynamic_cast<nn::Sequential&>(*model);
  for (const int64_t unit : {1, 2, 5}) std::fill_n(linear(chain, 0).weight.mutable_data() + 3 * unit, 3, 0.0f);
  for (const size_t norm : {size_t{1}, size_t{4}}) {
    auto& layer = static_cast<nn::BatchNorm&>(*chain.children()[norm].second);
    nn::normal(layer.weight, 1);
    nn::normal(layer.running_mean, 1);
  }
  auto& norm = static_cast<nn::BatchNorm&>(*chain.children()[1].second);
  for (const int64_t unit : {1, 2, 5}) norm.running_mean.mutable_data()[unit] = norm.bias.mutable_data()[unit] = 0;
  std::fill_n(linear(chain, 3).weight.mutable_data(), 6, 0.0f);
  std::fill_n(linear(chain, 3).weight.mutable_data() + 18, 6, 0.0f);
  auto& second = static_cast<nn::BatchNorm&>(*chain.children()[4].second);
  for (const int64_t unit : {0, 3}) second.running_mean.mutable_data()[unit] = second.bias.mutable_data()[unit] = 0;
  linear(chain, 3).bias.fill(0);
  const Narrowed narrowed = take_channels(*model, config.resolved, {3}, 2, 0.5);
  EXPECT_EQ(narrowed.config["hidden"], (Json{3, 2}));
  narrowed.model->eval();
  Tensor x = Tensor::empty({7, 3});
  nn::normal(x, 1);
  const Tensor expected = (*model)(x), got = (*narrowed.model)(x);
  for (int64_t i = 0; i < got.numel(); ++i) EXPECT_NEAR(got.data()[i], expected.data()[i], 1e-5);
}

TEST(TakeChannels, OfConvolutionsAndWhatFollowsThem) {
  const NoGrad no_grad;
  manual_seed(2);
  const Json layers = {{{"conv", {{"filters", 4}, {"padding", 1}}}}, "relu", {{"max_pool", 2}}, {{"conv", 6}}, "relu", "flatten", {{"linear", 8}}, "relu"};
  const models::ModelConfig config = models::parse_model({{"type", "cnn"}, {"layers", layers}});
  const auto model = config.make({8, 8, 1}, 3);
  model->eval();
  auto& chain = dynamic_cast<nn::Sequential&>(*model);
  const auto silence = [&](size_t layer, std::initializer_list<int64_t> outputs) {
    Tensor weight = static_cast<nn::WeightedLayer&>(*chain.children()[layer].second).weight;
    const int64_t inputs = weight.shape().inner(0);
    for (const int64_t o : outputs) std::fill_n(weight.mutable_data() + o * inputs, inputs, 0.0f);
  };
  silence(0, {0, 3});
  silence(3, {1, 2, 4});
  silence(6, {0, 1, 2, 7});
  const Narrowed narrowed = take_channels(*model, config.resolved, {8, 8, 1}, 3, 0.5);
  narrowed.model->eval();
  EXPECT_EQ(narrowed.config["layers"][0]["conv"]["filters"], 2);
  EXPECT_EQ(narrowed.config["layers"][3]["conv"], 3);
  EXPECT_EQ(narrowed.config["layers"][6]["linear"], 4);
  Tensor x = Tensor::empty({5, 8, 8, 1});
  nn::normal(x, 1);
  const Tensor expected = (*model)(x), got = (*narrowed.model)(x);
  for (int64_t i = 0; i < got.numel(); ++i) EXPECT_NEAR(got.data()[i], expected.data()[i], 1e-4);
}

TEST(TakeChannels, TheUsualCnnSaysItsLayers) {
  const models::ModelConfig config = models::parse_model("cnn");
  const Narrowed narrowed = take_channels(*config.make({8, 8, 1}, 2), config.resolved, {8, 8, 1}, 2, 0.75);
  EXPECT_EQ(narrowed.config["layers"][0]["conv"]["filters"], 8);
  EXPECT_EQ(narrowed.config["layers"][3]["conv"]["filters"], 16);
}

TEST(TakeChannels, OtherModelsAreRefused) {
  const auto refusal = [](const Json& json, const Shape& input) {
    const models::ModelConfig config = models::parse_model(json);
    const auto model = config.make(input, 2);
    return [=, model = std::shared_ptr<nn::Module>(config.make(input, 2))] { take_channels(*model, config.resolved, input, 2, 0.5); };
  };
  EXPECT_THAT(refusal("logistic", {3}), testing::ThrowsMessage<ConfigError>(HasSubstr("expected mlp or cnn")));
  EXPECT_THAT(refusal({{"type", "mlp"}, {"members", 2}}, {3}), testing::ThrowsMessage<ConfigError>(HasSubstr("several members")));
  EXPECT_THAT(refusal({{"type", "cnn"}, {"layers", {{{"conv", {{"filters", 4}, {"groups", 2}}}}}}}, {4, 4, 2}), testing::ThrowsMessage<ConfigError>(HasSubstr("in groups")));
}

}  // namespace
}  // namespace danlu::compress
