#include "danlu/learn/train/pseudo_label_objective.h"

#include <gtest/gtest.h>

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/data/dataset/unlabelled_dataset.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/learn/nn/layers.h"

namespace danlu::train {
namespace {

using data::TaskKind;

// Hands on what it is given, which is a parameter, so that one sees the gradient of the outputs.
class Same : public nn::Module {
 public:
  explicit Same(const Tensor& outputs) : outputs_(add_parameter("outputs", outputs.clone())) {}
  Tensor forward(const Tensor& /*x*/) override { return outputs_; }
  std::string describe() const override { return "Same"; }
  Tensor outputs_;
};

data::Batch batch_of(const Tensor& outputs, std::vector<int64_t> labels, int64_t epoch) {
  data::Batch batch;
  batch.x = outputs;
  batch.y = Tensor::from({std::ssize(labels)}, std::span<const int64_t>(labels));
  batch.indexes.resize(labels.size());
  batch.epoch = epoch;
  return batch;
}

double cross_entropy_of(std::initializer_list<double> logits, size_t label) {
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit);
  return std::log(sum) - logits.begin()[label];
}

// Two labelled samples, then three that are not, of three classes.
const Tensor kOutputs = Tensor::from({5, 3}, {1, 2, 0, 0, 0, 1, 3, 1, 1, 0, 0, 2, 1, 2, 1.5f});
const std::vector<int64_t> kLabels = {1, 0, -1, -1, -1};

TEST(PseudoLabel, AddsTheLossOfWhatTheModelBelieves) {
  const PseudoLabelObjective objective(PredictionObjective(TaskKind::multiclass), {.weight = 3, .begin = 2, .full = 6});
  const double known = (cross_entropy_of({1, 2, 0}, 1) + cross_entropy_of({0, 0, 1}, 0)) / 2;
  const double guessed = (cross_entropy_of({3, 1, 1}, 0) + cross_entropy_of({0, 0, 2}, 2) + cross_entropy_of({1, 2, 1.5}, 1)) / 3;
  Same model(kOutputs);
  for (const auto& [epoch, alpha] : {std::pair(0, 0.0), std::pair(2, 0.0), std::pair(3, 0.75), std::pair(6, 3.0), std::pair(99, 3.0)}) {
    const data::Batch batch = batch_of(kOutputs, kLabels, epoch);
    const Objective::Outcome outcome = objective.evaluate(model, batch);
    EXPECT_NEAR(static_cast<double>(outcome.loss.item()), known + alpha * guessed, 1e-5) << epoch;
    EXPECT_EQ(outcome.correct, 1) << "of the labelled";
    EXPECT_EQ(objective.terms(batch), 2);
    EXPECT_EQ(objective.alpha(epoch), alpha);
    clear_tape();
  }
}

TEST(PseudoLabel, SharpensWhatItBelieves) {
  const PseudoLabelObjective objective(PredictionObjective(TaskKind::binary), {.weight = 1, .begin = 0, .full = 0});
  Same model(Tensor::from({3, 1}, {0.5f, 0.25f, -0.25f}));
  backward(objective.evaluate(model, batch_of(model.outputs_, {1, -1, -1}, 0)).loss);
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  EXPECT_NEAR(model.outputs_.grad().data()[1], (sigmoid(0.25) - 1) / 2, 1e-6) << "up";
  EXPECT_NEAR(model.outputs_.grad().data()[2], sigmoid(-0.25) / 2, 1e-6) << "down";
}

// Two members give two answers to each sample; what they say together is believed.
TEST(PseudoLabel, MembersAreOfOneMind) {
  const PseudoLabelObjective objective(PredictionObjective(TaskKind::binary), {.weight = 1, .begin = 0, .full = 0});
  Same model(Tensor::from({4, 1}, {0.5f, 2, 0.5f, -1}));  // samples 0 and 1 by the first member, then by the second
  backward(objective.evaluate(model, batch_of(Tensor::zeros({2, 1}), {1, -1}, 0)).loss);
  EXPECT_LT(model.outputs_.grad().data()[1], 0);
  EXPECT_LT(model.outputs_.grad().data()[3], 0) << "the second member is told the first one's class, of which it is surer";
}

TEST(PseudoLabel, BatchesOfOneKindAlone) {
  const PseudoLabelObjective objective(PredictionObjective(TaskKind::multiclass), {.weight = 1, .begin = 0, .full = 0});
  Same model(kOutputs);
  EXPECT_TRUE(std::isfinite(objective.evaluate(model, batch_of(kOutputs, {-1, -1, -1, -1, -1}, 0)).loss.item()));
  const data::Batch labelled = batch_of(kOutputs, {1, 0, 0, 2, 1}, 0);
  EXPECT_EQ(objective.evaluate(model, labelled).loss.item(), PredictionObjective(TaskKind::multiclass).evaluate(model, labelled).loss.item());
  clear_tape();
}

TEST(PseudoLabel, RefusesWhatHasNoClasses) {
  EXPECT_THROW(PseudoLabelObjective(PredictionObjective(TaskKind::regression), {.weight = 1}), ConfigError);
  EXPECT_THROW(PseudoLabelObjective(PredictionObjective(TaskKind::binary), {.weight = 1, .begin = 5, .full = 4}), ConfigError);
}

}  // namespace
}  // namespace danlu::train
