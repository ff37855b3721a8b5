#include "danlu/learn/train/transfer.h"

#include <gtest/gtest.h>

#include "danlu/base/error.h"
#include "danlu/data/dataset/dataset.h"
#include "danlu/engine/ops/random.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/train/trainer.h"

namespace danlu::train {
namespace {

std::unique_ptr<nn::Module> network(int64_t outputs, uint64_t seed, int64_t hidden = 5) {
  manual_seed(seed);
  return models::parse_model(Json{{"type", "mlp"}, {"hidden", {hidden, 4}}}).make({3}, outputs);
}

std::vector<float> values_of(const nn::Module& model, const std::string& name) {
  for (const nn::NamedTensor& p : model.named_parameters()) {
    if (p.name == name) return {p.tensor.span().begin(), p.tensor.span().end()};
  }
  return {};
}

std::string message_of(const nn::Module& model, const nn::Module& other, const Json& names) {
  try {
    plan_transfer(model, other.named_parameters(), names, "other");
  } catch (const ConfigError& error) {
    return error.message();
  }
  return "no error";
}

TEST(Transfer, TakesWhatFitsAndSaysWhatDoesNot) {
  const auto theirs = network(10, 1), ours = network(2, 2);
  const Transfer transfer = plan_transfer(*ours, theirs->named_parameters(), Json::object(), "other");
  EXPECT_EQ(transfer.taken.size(), 4u);
  EXPECT_NE(transfer.text().find("4.weight: (2, 4) here, (10, 4) in other"), std::string::npos) << transfer.text();
  const auto head = values_of(*ours, "4.weight");
  transfer.put_into(*ours);
  EXPECT_EQ(values_of(*ours, "0.weight"), values_of(*theirs, "0.weight"));
  EXPECT_EQ(values_of(*ours, "4.weight"), head);
}

TEST(Transfer, GoesByAMapOfNames) {
  const auto theirs = network(10, 1), ours = network(2, 2);
  std::vector<nn::NamedTensor> renamed;
  for (const nn::NamedTensor& p : theirs->named_parameters()) renamed.push_back({"backbone." + p.name, p.tensor});
  const Transfer transfer = plan_transfer(*ours, renamed, {{"0", "backbone.0"}}, "other");
  transfer.put_into(*ours);
  EXPECT_EQ(transfer.taken.size(), 2u);
  EXPECT_EQ(values_of(*ours, "0.weight"), values_of(*theirs, "0.weight"));
  EXPECT_NE(values_of(*ours, "2.weight"), values_of(*theirs, "2.weight"));
}

TEST(Transfer, RefusesWhatWasAskedForAndIsNotThere) {
  const auto theirs = network(10, 1), ours = network(2, 2), wider = network(3, 3, 7);
  EXPECT_NE(message_of(*ours, *theirs, {{"4", "4"}}).find("transfer.names: 4.weight: (2, 4) here, (10, 4) in other"), std::string::npos) << message_of(*ours, *theirs, {{"4", "4"}});
  EXPECT_NE(message_of(*ours, *theirs, {{"0", "nothing"}}).find("other has no nothing.weight"), std::string::npos);
  EXPECT_NE(message_of(*ours, *theirs, {{"body", "0"}}).find("got \"body\"; expected a part of the model, like \"0.weight\""), std::string::npos);
  EXPECT_NE(message_of(*ours, *theirs, Json::array()).find("transfer.names: got []"), std::string::npos);
  const auto other_kind = models::parse_model(Json{{"type", "resnet"}, {"width", 4}, {"blocks", {1}}}).make({8, 8, 3}, 2);
  EXPECT_NE(message_of(*ours, *other_kind, Json::object()).find("nothing of other fits this model"), std::string::npos);
}

// Updates of a model under options, on two clouds of points.
std::unique_ptr<nn::Module> trained(const TrainOptions& options) {
  auto model = network(2, 5);
  Tensor x = Tensor::empty({64, 3}), y = Tensor::empty({64}, Dtype::i64);
  for (int64_t i = 0; i < 64; ++i) {
    y.mutable_data<int64_t>()[i] = i % 2;
    for (int64_t j = 0; j < 3; ++j) x.mutable_data()[3 * i + j] = static_cast<float>(i % 2) + 0.01f * static_cast<float>((7 * i + 3 * j) % 11);
  }
  const data::TensorDataset points(x, y);
  data::DataLoader loader(points, data::all_indexes(points), {.batch_size = 16}, 1, data::Phase::train);
  const PredictionObjective objective(data::TaskKind::multiclass, {});
  Trainer(*model, objective, options).fit(loader, nullptr);
  return model;
}

TEST(LearningRates, ScaleByParts) {
  TrainOptions options;
  options.steps = 1;
  options.optimizer = Json{{"type", "sgd"}, {"lr", 0.1}};
  const auto before = network(2, 5), plain = trained(options);
  options.lr_scale = {{"0", 0.5}, {"0.bias", 3}, {"4", 0}};
  const auto scaled = trained(options);
  const auto step = [&](const nn::Module& model, const char* name, size_t i) { return values_of(model, name)[i] - values_of(*before, name)[i]; };
  bool moved = false;
  for (size_t i = 0; i < 15; ++i) {
    EXPECT_NEAR(step(*scaled, "0.weight", i), 0.5f * step(*plain, "0.weight", i), 1e-6f);
    moved = moved || step(*plain, "0.weight", i) != 0;
  }
  for (size_t i = 0; i < 5; ++i) EXPECT_NEAR(step(*scaled, "0.bias", i), 3 * step(*plain, "0.bias", i), 1e-6f);
  EXPECT_TRUE(moved);
  EXPECT_EQ(values_of(*scaled, "4.weight"), values_of(*before, "4.weight"));
  EXPECT_EQ(values_of(*scaled, "2.weight"), values_of(*plain, "2.weight"));
  options.lr_scale = {{"9", 1}};
  EXPECT_THROW(trained(options), ConfigError);
  options.lr_scale = {{"0", "fast"}};
  EXPECT_THROW(trained(options), ConfigError);
}

TEST(LearningRates, FrozenPartsStandStill) {
  TrainOptions options;
  options.steps = 20;
  options.freeze = {"0", "2"};
  const auto before = network(2, 5), after = trained(options);
  EXPECT_EQ(values_of(*after, "0.weight"), values_of(*before, "0.weight"));
  EXPECT_EQ(values_of(*after, "2.bias"), values_of(*before, "2.bias"));
  EXPECT_NE(values_of(*after, "4.weight"), values_of(*before, "4.weight"));
}

}  // namespace
}  // namespace danlu::train
