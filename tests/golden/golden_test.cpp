// One step and ten Adam steps of a network, against what PyTorch computed (tools/make_goldens.py): the loss, all gradients, all
// parameters and the running statistics.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/loss.h"
#include "danlu/formats/safetensors.h"
#include "danlu/learn/models/gpt.h"
#include "danlu/learn/models/masked_encoder.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/models/recommender.h"
#include "danlu/learn/models/retriever.h"
#include "danlu/learn/nn/layers.h"
#include "danlu/learn/optim/optimizer.h"
#include "danlu/learn/train/forecast_objective.h"
#include "danlu/learn/train/contrastive_objective.h"
#include "danlu/learn/train/ranking_objective.h"

namespace danlu {
namespace {

constexpr float kTolerance = 1e-4f;  // relative to the element, or to the largest of its tensor
constexpr float kNothing = 1e-3f;    // numbers below are compared as if they were this: what is truly zero comes out as rounding

void expect_close(const Tensor& got, const Tensor& expected, const std::string& name) {
  ASSERT_EQ(got.shape(), expected.shape()) << name;
  float largest = 0;
  for (const float v : expected.span()) largest = std::max(largest, std::abs(v));
  for (int64_t i = 0; i < got.numel(); ++i) {
    const float g = got.data()[i], e = expected.data()[i];
    ASSERT_NEAR(g, e, kTolerance * std::max({std::abs(e), 0.1f * largest, kNothing})) << name << " element " << i;
  }
}

template <class Loss>
void expect_golden(nn::Module& model, const std::string& file, double eps, const Loss& loss_of) {
  const formats::SafetensorsFile golden(std::string(DANLU_SOURCE_DIR) + "/tests/golden/" + file);
  std::set<std::string> unused(golden.names().begin(), golden.names().end());
  const auto read = [&](const std::string& name) {
    unused.erase(name);
    return golden.read(name);
  };
  const Tensor x = read("x"), y = read("y"), losses = read("losses");
  for (const nn::NamedTensor& p : model.named_parameters()) Tensor(p.tensor).copy_from(read("initial." + p.name));
  optim::Adam optimizer(model.parameters(), {.lr = 1e-2, .eps = eps});
  for (int step = 0; step < 10; ++step) {
    optimizer.zero_grad();
    const Tensor loss = loss_of(x, y);
    backward(loss);
    EXPECT_NEAR(loss.item(), losses.data()[step], kTolerance * losses.data()[step]) << "step " << step;
    if (step == 0) {
      EXPECT_NEAR(loss.item(), read("loss").item(), kTolerance * loss.item());
      for (const nn::NamedTensor& p : model.named_parameters()) expect_close(p.tensor.grad(), read("gradient." + p.name), "gradient of " + p.name);
    }
    optimizer.step();
  }
  for (const nn::NamedTensor& p : model.named_parameters()) expect_close(p.tensor, read("final." + p.name), "final " + p.name);
  for (const nn::NamedTensor& b : model.named_buffers()) expect_close(b.tensor, read("final." + b.name), "final " + b.name);
  EXPECT_TRUE(unused.empty()) << "not compared: " << *unused.begin();
}

void expect_golden(nn::Module& model, const std::string& file) {
  expect_golden(model, file, 1e-8, [&](const Tensor& x, const Tensor& y) { return cross_entropy(model(x), y); });
}

TEST(Golden, Mlp) {
  using namespace nn;
  Sequential model(Linear(13, 17), ReLU(), Linear(17, 9), Tanh(), Linear(9, 5));
  expect_golden(model, "mlp.safetensors");
}

TEST(Golden, Cnn) {
  using namespace nn;
  Sequential model(Conv2d(3, 8, 3, {.padding = 1, .bias = false}), BatchNorm(8), ReLU(), MaxPool2d(2),
                   Conv2d(8, 12, 3, {.stride = 2, .padding = 1, .groups = 4}), ReLU(), AvgPool2d(2), Flatten(),
                   Linear(2 * 2 * 12, 10), GELU(), Linear(10, 4));
  expect_golden(model, "cnn.safetensors");
}

void expect_golden_gpt(models::GptOptions options) {
  options.layers = 2;
  options.heads = 4;
  options.width = 24;
  options.hidden = 40;
  options.context = 9;
  options.vocab_size = 31;
  models::Gpt model(options);
  expect_golden(model, options.family + ".safetensors", 1e-3, [&](const Tensor& x, const Tensor& y) { return model.loss(x, y); });
}

// Texts of 5, 8, 1 and 3 tokens, padded.
void expect_golden_text(const Json& config, const std::string& file) {
  const auto model = models::parse_model(config).make({8}, 3);
  expect_golden(*model, file, 1e-3, [&](const Tensor& x, const Tensor& y) { return cross_entropy((*model)(x), y); });
}

Json recurrent(const char* type, const char* pooling, bool bidirectional) {
  return {{"type", type}, {"vocab_size", 19}, {"embedding", 6}, {"hidden", 7}, {"layers", 2}, {"bidirectional", bidirectional}, {"pooling", pooling}, {"dropout", 0}};
}

TEST(Golden, Rnn) { expect_golden_text(recurrent("rnn", "last", false), "rnn.safetensors"); }
TEST(Golden, Lstm) { expect_golden_text(recurrent("lstm", "mean", true), "lstm.safetensors"); }
TEST(Golden, Gru) { expect_golden_text(recurrent("gru", "last", true), "gru.safetensors"); }
TEST(Golden, Encoder) {
  expect_golden_text({{"type", "encoder"}, {"vocab_size", 19}, {"layers", 2}, {"heads", 3}, {"width", 12}, {"hidden", 20}, {"dropout", 0}}, "encoder.safetensors");
}

TEST(Golden, MaskedEncoder) {
  models::MaskedEncoder model({.vocab_size = 19, .layers = 2, .heads = 3, .width = 12, .hidden = 20, .dropout = 0}, 8);
  expect_golden(model, "masked_encoder.safetensors", 1e-3, [&](const Tensor& x, const Tensor& y) { return model.loss(x, y); });
}

// Images of 10 x 10 with three channels.
void expect_golden_image(const Json& config, const std::string& file) {
  const auto model = models::parse_model(config).make({10, 10, 3}, 5);
  expect_golden(*model, file, 1e-3, [&](const Tensor& x, const Tensor& y) { return cross_entropy((*model)(x), y); });
}

TEST(Golden, ResNet) { expect_golden_image({{"type", "resnet"}, {"width", 4}, {"blocks", {1, 2}}}, "resnet.safetensors"); }
TEST(Golden, MobileNet) { expect_golden_image({{"type", "mobilenet"}, {"width", 4}, {"blocks", {1, 2}}, {"expansion", 3}}, "mobilenet.safetensors"); }
TEST(Golden, Vgg) { expect_golden_image({{"type", "vgg"}, {"width", 4}, {"blocks", {1, 2}}, {"hidden", 6}, {"dropout", 0}}, "vgg.safetensors"); }
TEST(Golden, Vit) { expect_golden_image({{"type", "vit"}, {"patch", 5}, {"layers", 2}, {"heads", 3}, {"width", 12}, {"dropout", 0}}, "vit.safetensors"); }

// Five users and eleven items; tools/make_recommender_goldens.py.
void expect_golden_recommender(const Json& config, const char* loss, const std::string& file, const models::Audience& audience = {.users = 5, .items = 11}) {
  const auto model = models::make_recommender(config, audience);
  train::ObjectiveOptions options;
  options.ranking_loss = loss;
  const train::RankingObjective objective(options);
  expect_golden(*model, file, 1e-3, [&](const Tensor& x, const Tensor& y) { return objective.evaluate(*model, {.x = x, .y = y, .first = {}, .indexes = {}}).loss; });
}

TEST(Golden, Factorization) { expect_golden_recommender({{"type", "factorization"}, {"width", 6}}, "bpr", "factorization.safetensors"); }
TEST(Golden, TwoTower) {
  models::Audience audience{.users = 5, .items = 11, .user_features = 2, .item_features = 3};
  for (int64_t user = 0; user < 5; ++user) audience.features_of_user.push_back({user % 2});
  for (int64_t item = 0; item < 11; ++item) audience.features_of_item.push_back(item % 2 == 1 ? std::vector<int64_t>{item % 3, (item + 1) % 3} : std::vector<int64_t>{item % 3});
  expect_golden_recommender({{"type", "two_tower"}, {"width", 6}, {"hidden", {8}}, {"length", 7}, {"strangers", 0}}, "sampled_softmax", "two_tower.safetensors", audience);
}
Json sequential(const char* layer) { return {{"type", "sequential"}, {"layer", layer}, {"width", 6}, {"layers", 2}, {"heads", 2}, {"length", 7}, {"dropout", 0}}; }
TEST(Golden, SequentialGru) { expect_golden_recommender(sequential("gru"), "softmax", "sequential_gru.safetensors"); }
TEST(Golden, SequentialLstm) { expect_golden_recommender(sequential("lstm"), "bpr", "sequential_lstm.safetensors"); }
TEST(Golden, SequentialTransformer) { expect_golden_recommender(sequential("transformer"), "sampled_softmax", "sequential_transformer.safetensors"); }

// Windows of nine periods with three channels, four periods to foretell; tools/make_forecast_goldens.py.
void expect_golden_forecast(const Json& config, const char* loss, const std::string& file) {
  const auto model = models::parse_model(config).make({9, 3}, 4);
  train::ObjectiveOptions options;
  options.regression_loss = loss;
  const train::ForecastObjective objective(options);
  expect_golden(*model, file, 1e-3, [&](const Tensor& x, const Tensor& y) { return objective.evaluate(*model, {.x = x, .y = y, .first = {}, .indexes = {}}).loss; });
}

TEST(Golden, ForecastMlp) { expect_golden_forecast({{"type", "mlp"}, {"hidden", {6}}, {"members", 2}}, "mse", "forecast_mlp.safetensors"); }
TEST(Golden, ForecastLstm) { expect_golden_forecast({{"type", "lstm"}, {"hidden", 5}, {"layers", 2}, {"bidirectional", false}, {"pooling", "last"}, {"dropout", 0}}, "mae", "forecast_lstm.safetensors"); }
TEST(Golden, ForecastGru) { expect_golden_forecast({{"type", "gru"}, {"hidden", 5}, {"layers", 2}, {"bidirectional", true}, {"pooling", "mean"}, {"dropout", 0}}, "mse", "forecast_gru.safetensors"); }

// Five pairs of texts, two of one group; tools/make_retriever_golden.py.
TEST(Golden, Retriever) {
  const Json config = {{"type", "retriever"}, {"dimension", 5}, {"encoder", {{"type", "bag_of_tokens"}, {"width", 6}, {"dropout", 0}}}};
  const auto model = models::make_retriever(config, 19, 8);
  train::ObjectiveOptions options;
  options.temperature = 0.1;
  const train::ContrastiveObjective objective(options);
  expect_golden(*model, "retriever.safetensors", 1e-3, [&](const Tensor& x, const Tensor& y) { return objective.evaluate(*model, {.x = x, .y = y, .first = {}, .indexes = {}}).loss; });
}

TEST(Golden, Gpt2) { expect_golden_gpt({.family = "gpt2"}); }
TEST(Golden, Llama) { expect_golden_gpt({.family = "llama", .kv_heads = 2, .tied = false}); }
TEST(Golden, Qwen3) { expect_golden_gpt({.family = "qwen3", .kv_heads = 2, .tied = false}); }

}  // namespace
}  // namespace danlu
