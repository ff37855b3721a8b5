#include "danlu/learn/train/distillation_objective.h"

#include <gtest/gtest.h>

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/rng.h"
#include "danlu/data/dataset/dataset.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/random.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/train/trainer.h"

namespace danlu::train {
namespace {

using data::TaskKind;

// Its outputs are its inputs.
class Identity : public nn::Module {
 public:
  Tensor forward(const Tensor& x) override { return x; }
  std::string describe() const override { return "identity"; }
};

data::Batch batch_of(const Tensor& x, const std::vector<int64_t>& y, std::vector<int64_t> indexes) {
  data::Batch batch;
  batch.x = x;
  batch.y = Tensor::from({std::ssize(y)}, std::span<const int64_t>(y));
  batch.indexes = std::move(indexes);
  return batch;
}

TEST(DistillationObjective, IsHintonsLoss) {
  const Tensor probabilities = Tensor::from({3, 3}, {0.7f, 0.2f, 0.1f, 0.1f, 0.1f, 0.8f, 0.3f, 0.3f, 0.4f});
  const DistillationObjective objective(PredictionObjective(TaskKind::multiclass), probabilities, {.teacher = "t", .temperature = 2, .alpha = 0.75});
  Identity identity;
  const double logits[2][3] = {{1, -1, 0.5}, {0, 2, -0.5}};
  const data::Batch batch = batch_of(Tensor::from({2, 3}, {1, -1, 0.5f, 0, 2, -0.5f}), {2, 1}, {2, 0});  // samples 2 and 0
  double expected = 0;
  for (int i = 0; i < 2; ++i) {
    const float* p = probabilities.data() + 3 * (i == 0 ? 2 : 0);
    double sum = 0, soft_sum = 0, root_sum = 0, soft = 0;
    for (int c = 0; c < 3; ++c) {
      sum += std::exp(logits[i][c]);
      soft_sum += std::exp(logits[i][c] / 2);
      root_sum += std::sqrt(static_cast<double>(p[c]));  // p^(1/T)
    }
    for (int c = 0; c < 3; ++c) soft -= std::sqrt(static_cast<double>(p[c])) / root_sum * (logits[i][c] / 2 - std::log(soft_sum));
    const int truth = i == 0 ? 2 : 1;
    expected += (0.25 * (std::log(sum) - logits[i][truth]) + 0.75 * 4 * soft) / 2;
  }
  const Objective::Outcome outcome = objective.evaluate(identity, batch);
  EXPECT_NEAR(outcome.loss.item(), expected, 1e-5);
  EXPECT_EQ(outcome.correct, 1);
}

TEST(DistillationObjective, TwoClassesAreAsTwoOfMany) {
  const Tensor probabilities = Tensor::from({2, 2}, {0.9f, 0.1f, 0.25f, 0.75f});
  const DistillOptions options{.teacher = "t", .temperature = 3, .alpha = 0.5};
  const DistillationObjective one(PredictionObjective(TaskKind::binary), probabilities, options), two(PredictionObjective(TaskKind::multiclass), probabilities, options);
  Identity identity;
  EXPECT_NEAR(one.evaluate(identity, batch_of(Tensor::from({2, 1}, {0.7f, -0.4f}), {0, 1}, {0, 1})).loss.item(),
              two.evaluate(identity, batch_of(Tensor::from({2, 2}, {0, 0.7f, 0, -0.4f}), {0, 1}, {0, 1})).loss.item(), 1e-5);
  // Of two members the mean.
  const Tensor members = Tensor::from({4, 1}, {0.7f, -0.4f, 0.7f, -0.4f});
  EXPECT_NEAR(one.evaluate(identity, batch_of(members, {0, 1}, {0, 1})).loss.item(), one.evaluate(identity, batch_of(members.rows(0, 2), {0, 1}, {0, 1})).loss.item(), 1e-6);
}

TEST(DistillationObjective, ACertainTeacherGivesFiniteGradients) {
  const DistillationObjective objective(PredictionObjective(TaskKind::binary), Tensor::from({1, 2}, {0, 1}), {.teacher = "t", .temperature = 1, .alpha = 1});
  Identity identity;
  Tensor x = Tensor::from({1, 1}, {-3.0f});
  x.set_requires_grad(true);
  const Tensor loss = objective.evaluate(identity, batch_of(x, {0}, {0})).loss;
  backward(loss);
  EXPECT_TRUE(std::isfinite(loss.item()));
  EXPECT_NEAR(x.grad().item(), 1 / (1 + std::exp(3.0)) - 1, 1e-5) << "towards the teacher, away from the label";
}

// Labels of which a third are wrong, and a teacher who knows better: the student comes nearer to the truth than without.
TEST(DistillationObjective, AStudentLearnsFromItsTeacher) {
  Rng rng(5);
  constexpr int64_t kSamples = 120;
  Tensor x = Tensor::empty({kSamples, 6}), probabilities = Tensor::empty({kSamples, 2});
  std::vector<int64_t> truth, noisy;
  for (float& v : x.mutable_span()) v = rng.normal();
  for (int64_t i = 0; i < kSamples; ++i) {
    const float* row = x.data() + 6 * i;
    truth.push_back(row[0] + row[1] * row[2] > 0 ? 1 : 0);
    noisy.push_back(rng.below(3) == 0 ? 1 - truth.back() : truth.back());
    probabilities.mutable_data()[2 * i + truth.back()] = 0.9f;
    probabilities.mutable_data()[2 * i + 1 - truth.back()] = 0.1f;
  }
  const data::TensorDataset dataset(x, Tensor::from({kSamples}, std::span<const int64_t>(noisy)));
  const auto right = [&](const Objective& objective) {
    manual_seed(1);
    const auto model = models::parse_model(Json{{"type", "mlp"}, {"hidden", {32}}}).make({6}, 1);
    TrainOptions options;
    options.epochs = 60;
    options.batch_size = 20;
    options.optimizer = {{"type", "adamw"}, {"lr", 0.02}};
    data::DataLoader loader(dataset, data::all_indexes(dataset), {.batch_size = 20}, 1, data::Phase::train);
    Trainer(*model, objective, options).fit(loader, nullptr);
    const NoGrad no_grad;
    const nn::EvalMode eval(*model);
    return *PredictionObjective(TaskKind::binary).num_correct((*model)(x), Tensor::from({kSamples}, std::span<const int64_t>(truth)));
  };
  const PredictionObjective alone(TaskKind::binary);
  const DistillationObjective taught(alone, probabilities, {.teacher = "t", .temperature = 2, .alpha = 0.9});
  EXPECT_GT(right(taught), right(alone) + kSamples / 20);
  EXPECT_GT(right(taught), kSamples * 9 / 10);
}

TEST(DistillationObjective, RefusesWhatHasNoProbabilities) {
  const Tensor two = Tensor::from({1, 2}, {0.5f, 0.5f});
  EXPECT_THROW(DistillationObjective(PredictionObjective(TaskKind::regression), two, {}), ConfigError);
  EXPECT_THROW(DistillationObjective(PredictionObjective(TaskKind::binary, {.classification_loss = "squared_hinge"}), two, {}), ConfigError);
  EXPECT_THROW(DistillationObjective(PredictionObjective(TaskKind::binary), Tensor::from({2}, {0.5f, 0.5f}), {}), ShapeError);
  Identity identity;
  const DistillationObjective objective(PredictionObjective(TaskKind::multiclass), two, {});
  EXPECT_THROW(objective.evaluate(identity, batch_of(Tensor::from({1, 3}, {1, 2, 3}), {0}, {0})), ShapeError);
}

}  // namespace
}  // namespace danlu::train
