#include "danlu/learn/models/bag_of_tokens.h"

#include <gmock/gmock.h>

#include <cmath>
#include <string>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/random.h"
#include "danlu/learn/models/model.h"

namespace danlu::models {
namespace {

using testing::HasSubstr;

std::unique_ptr<nn::Module> bag(const Json& more = Json::object()) {
  Json json = {{"type", "bag_of_tokens"}, {"vocab_size", 6}, {"width", 3}};
  json.update(more);
  return parse_model(json).make({4}, 2);
}

Tensor ids_of(const Shape& shape, const std::vector<int64_t>& ids) { return Tensor::from(shape, std::span<const int64_t>(ids)); }

TEST(BagOfTokens, IsALinearLayerOfTheMeanOfItsTokens) {
  manual_seed(1);
  const auto model = bag();
  const NoGrad no_grad;
  model->eval();
  const Tensor y = (*model)(ids_of({3, 4}, {2, 5, 5, 0, 3, 0, 0, 0, 0, 0, 0, 0}));
  ASSERT_EQ(y.shape(), (Shape{3, 2}));
  Tensor tokens, weight, bias;
  for (const nn::NamedTensor& p : model->named_parameters()) {
    if (p.name == "tokens.weight") tokens = p.tensor;
    if (p.name == "head.weight") weight = p.tensor;
    if (p.name == "head.bias") bias = p.tensor;
  }
  const std::vector<std::vector<int64_t>> texts = {{2, 5, 5}, {3}, {}};
  for (size_t n = 0; n < texts.size(); ++n) {
    for (int64_t o = 0; o < 2; ++o) {
      double expected = bias.data()[o];
      for (const int64_t id : texts[n]) {
        for (int64_t c = 0; c < 3; ++c) {
          expected += static_cast<double>(tokens.data()[id * 3 + c]) * static_cast<double>(weight.data()[o * 3 + c]) / static_cast<double>(texts[n].size());
        }
      }
      EXPECT_NEAR(static_cast<double>(y.data()[static_cast<int64_t>(n) * 2 + o]), expected, 1e-6) << "text " << n;
    }
  }
}

TEST(BagOfTokens, DropsOnlyWhileItTrains) {
  manual_seed(2);
  const auto model = bag({{"width", 64}, {"dropout", 0.5}});
  const NoGrad no_grad;
  const Tensor ids = ids_of({1, 2}, {1, 2});
  model->train();
  EXPECT_NE((*model)(ids).to_vector(), (*model)(ids).to_vector());
  model->eval();
  EXPECT_EQ((*model)(ids).to_vector(), (*model)(ids).to_vector());
}

TEST(BagOfTokens, RefusesWhatItCannotTake) {
  const auto message = [](const Json& json, const Shape& input) -> std::string {
    try {
      parse_model(json).make(input, 2);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message("bag_of_tokens", {4}), HasSubstr("this model reads text, set data.text.column"));
  EXPECT_THAT(message({{"type", "bag_of_tokens"}, {"vocab_size", 6}}, {28, 28, 1}), HasSubstr("got samples of shape"));
  const auto model = bag();
  EXPECT_THROW((*model)(ids_of({1}, {1})), ShapeError);
  EXPECT_THROW((*model)(ids_of({1, 1}, {6})), DataError);
}

}  // namespace
}  // namespace danlu::models
