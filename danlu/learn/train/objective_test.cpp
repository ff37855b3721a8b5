#include "danlu/learn/train/objective.h"

#include <gtest/gtest.h>

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/loss.h"
#include "danlu/engine/ops/random.h"
#include "danlu/learn/models/model.h"

namespace danlu::train {
namespace {

using data::TaskKind;

Tensor classes(const std::vector<int64_t>& y) { return Tensor::from(Shape{static_cast<int64_t>(y.size())}, std::span<const int64_t>(y)); }

double log1pexp(double z) { return std::log1p(std::exp(z)); }

TEST(PredictionObjective, RareClassesCountForMoreIfAsked) {
  // Three of class 0 and one of class 1: weights 4/6 and 4/2.
  const std::vector<int64_t> labels{0, 0, 0, 1};
  const PredictionObjective balanced(TaskKind::binary, {.class_weights = "balanced"}, labels);
  const Tensor outputs = Tensor::from({4, 1}, {0.5f, -1.0f, 2.0f, 0.3f});
  const double expected = (2.0 / 3 * (log1pexp(0.5) + log1pexp(-1) + log1pexp(2)) + 2 * log1pexp(-0.3)) / (3 * 2.0 / 3 + 2);
  EXPECT_NEAR(balanced.loss(outputs, classes(labels)).item(), expected, 1e-6);
  EXPECT_NE(PredictionObjective(TaskKind::binary).loss(outputs, classes(labels)).item(), balanced.loss(outputs, classes(labels)).item());
  // A batch of one class alone, and a class that training did not have.
  EXPECT_NEAR(balanced.loss(Tensor::from({1, 1}, {0.3f}), classes({1})).item(), log1pexp(-0.3), 1e-6);
}

TEST(PredictionObjective, WeightsOfManyClassesAreThoseOfTwo) {
  const std::vector<int64_t> labels{0, 0, 0, 1};
  const PredictionObjective two(TaskKind::binary, {.class_weights = "balanced"}, labels), many(TaskKind::multiclass, {.class_weights = "balanced"}, labels);
  const Tensor one = Tensor::from({4, 1}, {0.5f, -1.0f, 2.0f, 0.3f}), both = Tensor::from({4, 2}, {0, 0.5f, 0, -1.0f, 0, 2.0f, 0, 0.3f});
  EXPECT_NEAR(two.loss(one, classes(labels)).item(), many.loss(both, classes(labels)).item(), 1e-6);
  const PredictionObjective smooth(TaskKind::multiclass, {.label_smoothing = 0.2, .class_weights = "balanced"}, std::vector<int64_t>{0, 1});
  const PredictionObjective plain(TaskKind::multiclass, {.label_smoothing = 0.2});  // the classes are as frequent as each other
  EXPECT_NEAR(smooth.loss(both, classes(labels)).item(), plain.loss(both, classes(labels)).item(), 1e-6);
  EXPECT_THROW(PredictionObjective(TaskKind::regression, {.class_weights = "balanced"}), ConfigError);
}

TEST(PredictionObjective, MembersOfAnEnsembleLearnEachByItsOwnAnswers) {
  const PredictionObjective objective(TaskKind::binary);
  const Tensor y = classes({0, 1});
  const Tensor answers = Tensor::from({4, 1}, {-1.0f, 2.0f, 0.5f, -0.5f});  // of two members
  const double expected = (log1pexp(-1) + log1pexp(-2) + log1pexp(0.5) + log1pexp(0.5)) / 4;
  EXPECT_NEAR(objective.loss(answers, y).item(), expected, 1e-6);
  EXPECT_EQ(objective.num_correct(answers, y), 1);  // two of four
  EXPECT_THROW(objective.loss(Tensor::from({3, 1}, {1, 2, 3}), y), ShapeError);
}

TEST(PredictionObjective, AnEnsembleAnswersByTheMeanOfItsMembers) {
  manual_seed(3);
  const auto model = models::parse_model(Json{{"type", "mlp"}, {"hidden", {4}}, {"members", 3}}).make({2}, 1);
  const Tensor x = Tensor::from({2, 2}, {1, 2, -1, 0.5f});
  const NoGrad no_grad;
  const Tensor each = (*model)(x);
  ASSERT_EQ(each.shape(), (Shape{6, 1}));
  const nn::EvalMode eval(*model);
  const Tensor mean = (*model)(x);
  ASSERT_EQ(mean.shape(), (Shape{2, 1}));
  for (int64_t n = 0; n < 2; ++n) {
    EXPECT_NEAR(mean.data()[n], (each.data()[n] + each.data()[2 + n] + each.data()[4 + n]) / 3, 1e-6);
    EXPECT_NE(each.data()[n], each.data()[2 + n]);
  }
}

TEST(PredictionObjective, MarginsOfOneAgainstTheRest) {
  const auto square = [](double x) { return x > 0 ? x * x : 0; };
  const PredictionObjective many(TaskKind::multiclass, {.classification_loss = "squared_hinge"});
  const Tensor outputs = Tensor::from({2, 3}, {2, -0.5f, 0.25f, -3, 0.5f, -1});
  const double expected = (square(1 - 2) + square(1 - 0.5) + square(1 + 0.25) + square(1 - 3) + square(1 - 0.5) + square(1 - 1)) / 2;
  EXPECT_NEAR(many.loss(outputs, classes({0, 1})).item(), expected, 1e-6);
  const PredictionObjective two(TaskKind::binary, {.class_weights = "balanced", .classification_loss = "squared_hinge"}, std::vector<int64_t>{0, 0, 0, 1});
  const double weighted = (2.0 / 3 * square(1 + 0.5) + 2 * square(1 - 0.25)) / (2.0 / 3 + 2);
  EXPECT_NEAR(two.loss(Tensor::from({2, 1}, {0.5f, 0.25f}), classes({0, 1})).item(), weighted, 1e-6);
  EXPECT_THROW(PredictionObjective(TaskKind::binary, {.label_smoothing = 0.1, .classification_loss = "squared_hinge"}), ConfigError);
}

TEST(PredictionObjective, RefusesLabelsThatAreNoClass) {
  const Tensor three = Tensor::zeros({2, 3}), one = Tensor::zeros({2, 1});
  const std::vector<int64_t> labels = {0, 1, 2, 2};
  for (const int64_t label : {-1, 3}) {
    for (const char* loss : {"cross_entropy", "squared_hinge"}) {
      for (const char* weights : {"none", "balanced"}) {
        const ObjectiveOptions options = {.class_weights = weights, .classification_loss = loss};
        EXPECT_THROW(PredictionObjective(TaskKind::multiclass, options, labels).loss(three, classes({0, label})), DataError) << loss << " " << weights;
        EXPECT_THROW(PredictionObjective(TaskKind::binary, options, labels).loss(one, classes({0, label})), DataError) << loss << " " << weights;
      }
    }
  }
}

}  // namespace
}  // namespace danlu::train
