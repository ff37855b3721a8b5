#include "danlu/compress/heads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/rng.h"
#include "danlu/compress/pick.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/loss.h"
#include "danlu/engine/ops/random.h"
#include "danlu/learn/models/model.h"

namespace danlu::compress {
namespace {

Json encoder_config(int64_t heads = 4) {
  return models::parse_model(Json{{"type", "encoder"}, {"vocab_size", 20}, {"layers", 2}, {"heads", heads}, {"width", 16}, {"hidden", 24}, {"dropout", 0}}).resolved;
}

Tensor some_ids(int64_t count, uint64_t seed) {
  Rng rng(seed);
  Tensor ids = Tensor::zeros({count, 6}, Dtype::i64);
  for (int64_t i = 0; i < ids.numel(); ++i) ids.mutable_data<int64_t>()[i] = 1 + static_cast<int64_t>(rng.below(19));
  return ids;
}

Tensor some_labels(int64_t count) {
  Tensor labels = Tensor::zeros({count}, Dtype::i64);
  for (int64_t i = 0; i < count; ++i) labels.mutable_data<int64_t>()[i] = i % 3;
  return labels;
}

void measure(nn::Module& model, HeadImportance& importance) {
  for (uint64_t seed = 1; seed < 4; ++seed) {
    backward(cross_entropy(model(some_ids(8, seed)), some_labels(8)));
    importance.add();
  }
}

// Sets what reads a unit to zero, so that the model does not hear of it.
void silence(nn::Module& model, const std::string& name, const Indexes& columns) {
  const NoGrad no_grad;
  for (nn::NamedTensor& p : model.named_parameters()) {
    if (p.name != name) continue;
    for (int64_t row = 0; row < p.tensor.size(0); ++row) {
      for (const int64_t column : columns) p.tensor.mutable_data()[row * p.tensor.size(1) + column] = 0;
    }
  }
}

TEST(Heads, ThoseThatNobodyHearsAreTakenAndNothingChanges) {
  manual_seed(1);
  const Json config = encoder_config();
  const auto model = models::parse_model(config).make({6}, 3);
  model->eval();
  // Heads 1 and 2 of one block, 0 and 3 of the other; every other neuron.
  silence(*model, "encoder.blocks.0.projection.weight", {4, 5, 6, 7, 8, 9, 10, 11});
  silence(*model, "encoder.blocks.1.projection.weight", {0, 1, 2, 3, 12, 13, 14, 15});
  Indexes even;
  for (int64_t i = 0; i < 24; i += 2) even.push_back(i);
  for (const char* block : {"0", "1"}) silence(*model, fmt::format("encoder.blocks.{}.down.weight", block), even);
  HeadImportance importance(*model, config);
  measure(*model, importance);
  EXPECT_EQ(importance.heads().at("encoder.blocks.0")[1], 0);
  EXPECT_GT(importance.heads().at("encoder.blocks.0")[0], 0);
  Narrowed smaller = take_heads(*model, config, {6}, 3, 0.5, importance);
  EXPECT_EQ(smaller.config["heads"], 2);
  EXPECT_EQ(smaller.config["head_dim"], 4);
  EXPECT_EQ(smaller.config["hidden"], 12);
  EXPECT_LT(smaller.model->num_parameters(), model->num_parameters());
  smaller.model->eval();
  {
    const NoGrad no_grad;
    const Tensor before = (*model)(some_ids(5, 9)), after = (*smaller.model)(some_ids(5, 9));
    for (int64_t i = 0; i < before.numel(); ++i) EXPECT_NEAR(after.data()[i], before.data()[i], 1e-5);
  }
  // Again, of what is left.
  HeadImportance rest(*smaller.model, smaller.config);
  measure(*smaller.model, rest);
  EXPECT_EQ(take_heads(*smaller.model, smaller.config, {6}, 3, 0.5, rest).config["heads"], 1);
}

TEST(Heads, ImportanceIsTheChangeOfTheLoss) {
  manual_seed(2);
  const Json config = encoder_config();
  const auto model = models::parse_model(config).make({6}, 3);
  model->eval();
  const Tensor ids = some_ids(8, 1), labels = some_labels(8);
  HeadImportance importance(*model, config);
  backward(cross_entropy((*model)(ids), labels));
  importance.add();
  const NoGrad no_grad;
  for (nn::NamedTensor& p : model->named_parameters()) {
    if (p.name != "encoder.blocks.1.projection.weight") continue;
    const Tensor sound = p.tensor.clone();
    const auto loss_with = [&](float factor) {  // of the output of head 2
      for (int64_t row = 0; row < 16; ++row) {
        for (int64_t column = 8; column < 12; ++column) p.tensor.mutable_data()[row * 16 + column] = factor * sound.data()[row * 16 + column];
      }
      return static_cast<double>(cross_entropy((*model)(ids), labels).item());
    };
    const double slope = (loss_with(1.05f) - loss_with(0.95f)) / 0.1;
    EXPECT_NEAR(importance.heads().at("encoder.blocks.1")[2], std::abs(slope), 0.02 * std::abs(slope) + 1e-5);
  }
}

TEST(Heads, OneOfEachStays) {
  manual_seed(3);
  const Json config = models::parse_model(Json{{"type", "vit"}, {"patch", 4}, {"layers", 1}, {"heads", 2}, {"width", 8}}).resolved;
  const auto model = models::parse_model(config).make({8, 8, 1}, 3);
  Tensor images = Tensor::zeros({4, 8, 8, 1});
  Rng rng(1);
  for (float& v : images.mutable_span()) v = rng.normal();
  HeadImportance importance(*model, config);
  backward(cross_entropy((*model)(images), some_labels(4)));
  importance.add();
  const Narrowed smaller = take_heads(*model, config, {8, 8, 1}, 3, 0.99, importance);
  EXPECT_EQ(smaller.config["heads"], 1);
  EXPECT_EQ(smaller.config["hidden"], 1);
}

TEST(Heads, RefusesWhatHasNone) {
  const Json config = models::parse_model(Json{{"type", "mlp"}}).resolved;
  const auto model = models::parse_model(config).make({3}, 2);
  EXPECT_THROW(HeadImportance(*model, config), ConfigError);
  const auto encoder = models::parse_model(encoder_config()).make({6}, 3);
  EXPECT_THROW(take_heads(*encoder, encoder_config(), {6}, 3, 0.5, HeadImportance(*encoder, encoder_config())), ConfigError);
}

}  // namespace
}  // namespace danlu::compress
