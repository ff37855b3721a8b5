#include "danlu/learn/models/model.h"

#include <gtest/gtest.h>

#include "danlu/base/error.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/learn/nn/module.h"

namespace danlu::models {
namespace {

std::string message_of(const Json& json, const Shape& input = {28, 28, 1}) {
  try {
    parse_model(json).make(input, 10);
  } catch (const ConfigError& error) {
    return error.message();
  }
  return "no error";
}

TEST(Models, HeadsComeFromTheTask) {
  const NoGrad no_grad;
  for (const char* type : {"logistic", "mlp"}) {
    EXPECT_EQ((*parse_model(type).make({7}, 3))(Tensor::zeros({5, 7})).shape(), (Shape{5, 3})) << type;
  }
  EXPECT_EQ((*parse_model("cnn").make({28, 28, 1}, 10))(Tensor::zeros({2, 28, 28, 1})).shape(), (Shape{2, 10}));
}

// Traps B18, B29 and the classic network of M03: 150 x 150 x 3, four blocks of 3 x 3 convolutions and 2 x 2 pooling, dense 512.
TEST(Cnn, TheClassicCatsOrDogsNetwork) {
  Json layers = Json::array();
  for (const int filters : {32, 64, 128, 128}) {
    layers.push_back({{"conv", {{"filters", filters}, {"kernel", 3}}}});
    layers.push_back("relu");
    layers.push_back({{"max_pool", 2}});
  }
  layers.insert(layers.end(), {"flatten", {{"linear", 512}}, "relu"});
  auto model = parse_model(Json{{"type", "cnn"}, {"layers", layers}}).make({150, 150, 3}, 1);
  EXPECT_EQ(model->num_parameters(), 3453121);  // as Keras counts it
  const std::string text = summary(*model, {150, 150, 3});
  EXPECT_NE(text.find("(148, 148, 32)"), std::string::npos) << text;  // valid convolution: 150 - 3 + 1
  EXPECT_NE(text.find("(7, 7, 128)"), std::string::npos) << text;
  EXPECT_NE(text.find("(6272,)"), std::string::npos) << text;
  EXPECT_NE(text.find("3453121 parameters"), std::string::npos) << text;
}

TEST(Cnn, ResolvedConfigMakesTheSameNetwork) {
  const Json layers = {{{"conv", {{"filters", 8}, {"padding", 1}, {"groups", 1}}}}, "batch_norm", "relu", {{"avg_pool", {{"kernel", 3}, {"stride", 2}}}},
                       "global_avg_pool", {{"dropout", 0.25}}};
  const ModelConfig config = parse_model(Json{{"type", "cnn"}, {"layers", layers}});
  EXPECT_EQ(config.make({28, 28, 1}, 10)->describe(), parse_model(config.resolved).make({28, 28, 1}, 10)->describe());
}

TEST(ImageModels, HalveTheImageAndTakeAnyHead) {
  const NoGrad no_grad;
  for (const char* type : {"resnet", "mobilenet", "vgg", "vit"}) {
    const auto model = parse_model(type).make({28, 28, 1}, 3);
    EXPECT_EQ((*model)(Tensor::zeros({2, 28, 28, 1})).shape(), (Shape{2, 3})) << type;
  }
  const auto resnet18 = parse_model(Json{{"type", "resnet"}, {"width", 64}, {"blocks", {2, 2, 2, 2}}, {"stem", "large"}}).make({224, 224, 3}, 1000);
  EXPECT_EQ(resnet18->num_parameters(), 11689512);  // as torchvision counts it
  EXPECT_NE(summary(*resnet18, {224, 224, 3}).find("(7, 7, 512)"), std::string::npos);
  const auto halved = parse_model(Json{{"type", "resnet"}, {"width", 8}, {"blocks", {1, 1}}, {"stem", "medium"}}).make({28, 28, 1}, 10);
  EXPECT_NE(summary(*halved, {28, 28, 1}).find("(14, 14, 8)"), std::string::npos) << "the first stage sees half";
  EXPECT_NE(summary(*halved, {28, 28, 1}).find("(7, 7, 16)"), std::string::npos);
  const auto vgg11 = parse_model(Json{{"type", "vgg"}, {"width", 64}, {"blocks", {1, 1, 2, 2}}, {"hidden", 10}}).make({32, 32, 3}, 10);
  EXPECT_NE(summary(*vgg11, {32, 32, 3}).find("(2, 2, 512)"), std::string::npos);
}

TEST(ImageModels, ABlockBeginsAsTheIdentity) {
  const NoGrad no_grad;
  const auto model = parse_model(Json{{"type", "resnet"}, {"width", 4}, {"blocks", {2}}}).make({6, 6, 3}, 2);
  const auto& layers = model->children();
  Tensor x = Tensor::full({3, 6, 6, 3}, 1.0f);
  const Tensor stem = layers[0].second->forward(x), behind = layers[2].second->forward(layers[1].second->forward(stem));
  for (int64_t i = 0; i < stem.numel(); ++i) ASSERT_EQ(behind.data()[i], stem.data()[i]);
}

TEST(ImageModels, RefuseWhatTheyCannotTake) {
  EXPECT_NE(message_of("resnet", {30}).find("resnet: got samples of shape (30,); expected images"), std::string::npos) << message_of("resnet", {30});
  EXPECT_NE(message_of("vgg", {7, 7, 1}).find("got 3 stages, but images of 7 x 7 can be halved 2 times"), std::string::npos) << message_of("vgg", {7, 7, 1});
  EXPECT_NE(message_of(Json{{"type", "vit"}, {"patch", 5}}).find("model.patch: got 5 for images of 28 x 28"), std::string::npos);
  EXPECT_NE(message_of(Json{{"type", "vit"}, {"heads", 3}}).find("got 3 for a width of 128"), std::string::npos);
  EXPECT_NE(message_of(Json{{"type", "mobilenet"}, {"blocks", Json::array()}}).find("got an empty list"), std::string::npos);
}

TEST(Models, MessagesNameKeyLayerAndNearest) {
  EXPECT_NE(message_of("nlp").find("did you mean \"mlp\"?"), std::string::npos) << message_of("nlp");
  EXPECT_NE(message_of(Json{{"type", "mlp"}, {"hiden", {3}}}).find("did you mean \"hidden\"?"), std::string::npos);
  EXPECT_NE(message_of(Json{{"type", "mlp"}, {"hidden", {0}}}).find("got 0; expected a number in [1,"), std::string::npos);
  const Json bad_layer = {{"type", "cnn"}, {"layers", {"relu", "max_poool"}}};
  EXPECT_NE(message_of(bad_layer).find("model.layers[1]"), std::string::npos) << message_of(bad_layer);
  EXPECT_NE(message_of(bad_layer).find("did you mean \"max_pool\"?"), std::string::npos) << message_of(bad_layer);
  const Json bad_option = {{"type", "cnn"}, {"layers", {{{"conv", {{"filter", 3}}}}}}};
  EXPECT_NE(message_of(bad_option).find("model.layers[0].conv.filter"), std::string::npos) << message_of(bad_option);
  const Json too_small = {{"type", "cnn"}, {"layers", {{{"max_pool", 16}}, {{"conv", 8}}}}};
  EXPECT_NE(message_of(too_small).find("has become 1 x 1"), std::string::npos) << message_of(too_small);
  const Json late = {{"type", "cnn"}, {"layers", {"flatten", {{"conv", 8}}}}};
  EXPECT_NE(message_of(late).find("expected an image"), std::string::npos) << message_of(late);
  EXPECT_NE(message_of("cnn", {30}).find("needs images"), std::string::npos) << message_of("cnn", {30});
}

}  // namespace
}  // namespace danlu::models
