#include "danlu/learn/train/heads_objective.h"

#include <gtest/gtest.h>

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/learn/nn/layers.h"

namespace danlu::train {
namespace {

const std::vector<data::Head> kHeads = {{"kind", data::TaskKind::multiclass, {"a", "b", "c"}, 2}, {"price", data::TaskKind::regression, {}, 1}, {"sold", data::TaskKind::binary, {"no", "yes"}, 0.5}};

// Outputs: three logits, a number, a logit.
const Tensor kOutputs = Tensor::from({2, 5}, {1, 2, 3, 0.5f, -1, 0, 0, 0, 2, 4});
const Tensor kTruth = Tensor::from({2, 3}, {2, 1, 0, 0, -1, 1});

// Each head's loss by hand; PyTorch's cross_entropy, mse_loss and binary_cross_entropy_with_logits give the same.
TEST(HeadsObjective, SumsTheWeightedLossesOfItsHeads) {
  const double kind = (-std::log(std::exp(3) / (std::exp(1) + std::exp(2) + std::exp(3))) + std::log(3)) / 2;
  const double price = (0.25 + 9) / 2;
  const double sold = (std::log1p(std::exp(-1)) + std::log1p(std::exp(-4))) / 2;
  EXPECT_NEAR(static_cast<double>(HeadsObjective(kHeads).loss(kOutputs, kTruth).item()), 2 * kind + price + 0.5 * sold, 1e-5);
}

TEST(HeadsObjective, AHeadIsWhatItWouldBeAlone) {
  for (size_t h = 0; h < kHeads.size(); ++h) {
    std::vector<data::Head> heads = kHeads;
    for (size_t other = 0; other < heads.size(); ++other) heads[other].weight = other == h ? 1 : 1e-6;
    Tensor together = kOutputs.clone();
    together.set_requires_grad();
    backward(HeadsObjective(heads).loss(together, kTruth));
    const int64_t begin = h == 0 ? 0 : h == 1 ? 3 : 4, width = heads[h].outputs();
    Tensor alone = Tensor::empty({2, width});
    Tensor y = Tensor::empty({2}, h == 1 ? Dtype::f32 : Dtype::i64);
    for (int64_t i = 0; i < 2; ++i) {
      for (int64_t k = 0; k < width; ++k) alone.mutable_data()[i * width + k] = kOutputs.data()[i * 5 + begin + k];
      if (h == 1) y.mutable_data()[i] = kTruth.data()[i * 3 + 1];
      else y.mutable_data<int64_t>()[i] = static_cast<int64_t>(kTruth.data()[i * 3 + static_cast<int64_t>(h)]);
    }
    alone.set_requires_grad();
    backward(PredictionObjective(heads[h].task).loss(alone, y));
    for (int64_t i = 0; i < 2; ++i) {
      for (int64_t k = 0; k < width; ++k) EXPECT_FLOAT_EQ(together.grad().data()[i * 5 + begin + k], alone.grad().data()[i * width + k]) << kHeads[h].name;
    }
  }
}

TEST(HeadsObjective, AnswersStandSideBySide) {
  const Tensor answers = HeadsObjective(kHeads).answer(kOutputs);
  ASSERT_EQ(answers.shape(), (Shape{2, 3 + 1 + 2}));
  const float* a = answers.data();
  EXPECT_NEAR(a[0] + a[1] + a[2], 1, 1e-6);
  EXPECT_FLOAT_EQ(a[3], 0.5f);
  EXPECT_NEAR(a[4] + a[5], 1, 1e-6);
  EXPECT_NEAR(a[5], 1 / (1 + std::exp(1.0f)), 1e-6);
}

TEST(HeadsObjective, TellsEachHeadOfItsOwn) {
  nn::Linear same(5, 5, false);
  Tensor identity = Tensor::zeros({5, 5});
  for (int64_t i = 0; i < 5; ++i) identity.mutable_data()[i * 6] = 1;
  same.weight.copy_from(identity);
  const data::TensorDataset dataset(kOutputs, kTruth);
  data::DataLoader loader(dataset, {0, 1}, {.batch_size = 1}, 0, data::Phase::evaluate);
  const Validation found = HeadsObjective(kHeads).validate(same, loader);
  EXPECT_NEAR(found.loss, static_cast<double>(HeadsObjective(kHeads).loss(kOutputs, kTruth).item()), 1e-5);
  EXPECT_NEAR(found.measures.at("price.loss"), (0.25 + 9) / 2, 1e-5);
  EXPECT_EQ(found.measures.at("kind.accuracy"), 1) << "of equals the first";
  EXPECT_EQ(found.measures.at("sold.accuracy"), 1);
  EXPECT_FALSE(found.measures.contains("price.accuracy"));
  EXPECT_FALSE(found.accuracy);
}

// The equations by hand, and their gradients with respect to s: of a number half of 1 - exp(-s) loss, of classes 1/2 - exp(-s) loss.
TEST(HeadsObjective, LearnsTheWeightsOfItsHeads) {
  std::vector<data::Head> heads = kHeads;
  for (data::Head& head : heads) head.weight = 1;
  ObjectiveOptions options;
  options.task_weighting = "uncertainty";
  const HeadsObjective objective(heads, options);
  ASSERT_EQ(objective.parameters().size(), 1u);
  Tensor s = objective.parameters().front().tensor;
  s.copy_from(Tensor::from({3}, {0.5f, -1, 0.25f}));
  const double kind = (-std::log(std::exp(3) / (std::exp(1) + std::exp(2) + std::exp(3))) + std::log(3)) / 2;
  const double price = (0.25 + 9) / 2;
  const double sold = (std::log1p(std::exp(-1)) + std::log1p(std::exp(-4))) / 2;
  const Tensor loss = objective.loss(kOutputs, kTruth);
  EXPECT_NEAR(static_cast<double>(loss.item()), std::exp(-0.5) * kind + 0.25 + std::exp(1) * price / 2 - 0.5 + std::exp(-0.25) * sold + 0.125, 1e-5);
  backward(loss);
  EXPECT_NEAR(s.grad().data()[0], 0.5 - std::exp(-0.5) * kind, 1e-5);
  EXPECT_NEAR(s.grad().data()[1], 0.5 - std::exp(1) * price / 2, 1e-4);
  EXPECT_NEAR(s.grad().data()[2], 0.5 - std::exp(-0.25) * sold, 1e-5);
  nn::Linear model(5, 5);
  EXPECT_EQ(objective.turns(model).front().parameters.size(), 3u) << "weight, bias and the variances";
  EXPECT_EQ(HeadsObjective(heads).turns(model).front().parameters.size(), 2u);
  EXPECT_THROW(HeadsObjective(kHeads, options), ConfigError) << "weights beside those that are learnt";
}

TEST(HeadsObjective, RefusesClassWeights) {
  ObjectiveOptions options;
  options.class_weights = "balanced";
  EXPECT_THROW(HeadsObjective(kHeads, options), ConfigError);
  EXPECT_THROW(HeadsObjective({kHeads[0], kHeads[2]}, options), ConfigError) << "of classes alone";
}

TEST(HeadsObjective, RefusesOtherNumbersOfColumns) {
  const HeadsObjective objective(kHeads);
  EXPECT_THROW(objective.loss(Tensor::zeros({2, 6}), kTruth), ShapeError);
  EXPECT_THROW(objective.loss(Tensor::zeros({2, 4}), kTruth), ShapeError);
  EXPECT_THROW(objective.loss(kOutputs, Tensor::zeros({2, 2})), ShapeError);
  EXPECT_THROW(objective.loss(kOutputs, Tensor::zeros({2})), ShapeError);
}

}  // namespace
}  // namespace danlu::train
