// That it computes what PyTorch does is for tests/golden to say.
#include "danlu/learn/models/masked_encoder.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>

#include "danlu/base/error.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/loss.h"
#include "danlu/engine/ops/random.h"
#include "danlu/learn/models/model.h"

namespace danlu::models {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr int64_t kVocabulary = 23, kLength = 6;

Tensor ids_of(const std::vector<std::vector<int64_t>>& rows) {
  Tensor ids = Tensor::empty({std::ssize(rows), std::ssize(rows.front())}, Dtype::i64);
  int64_t* out = ids.mutable_data<int64_t>();
  for (const auto& row : rows) out = std::copy(row.begin(), row.end(), out);
  return ids;
}

std::unique_ptr<nn::Module> make(const Json& options = {{"layers", 2}, {"heads", 2}, {"width", 8}, {"dropout", 0}}) {
  manual_seed(3);
  Json config = {{"type", "masked_encoder"}};
  config.update(options);
  auto model = parse_model(config).make({kLength}, kVocabulary);
  for (nn::NamedTensor& p : model->named_parameters()) {
    const NoGrad no_grad;
    for (float& w : p.tensor.mutable_span()) w *= 5;  // so that every token has a say
  }
  return model;
}

TEST(MaskedEncoder, ItsLossIsTheCrossEntropyOfWhatIsAskedFor) {
  const auto model = make();
  const Tensor ids = ids_of({{4, 9, 2, 0, 0}, {7, 1, 1, 3, 8}}), targets = ids_of({{-1, 5, -1, -1, -1}, {7, -1, -1, -1, 2}});
  const NoGrad no_grad;
  const Tensor all = (*model)(ids);
  EXPECT_EQ(all.shape(), (Shape{2, 5, kVocabulary}));
  const float expected = cross_entropy(all.view({10, kVocabulary}), targets.view({10}), {.ignore_index = -1}).item();
  EXPECT_NEAR(dynamic_cast<MaskedEncoder&>(*model).loss(ids, targets).item(), expected, 1e-5);
}

TEST(MaskedEncoder, DoesNotSeePadding) {
  const auto model = make();
  auto& encoder = dynamic_cast<MaskedEncoder&>(*model);
  const NoGrad no_grad;
  const Tensor alone = encoder.logits(ids_of({{4, 9, 2}}), ids_of({{1}}).view({1})), beside = encoder.logits(ids_of({{7, 1, 1, 3, 8}, {4, 9, 2, 0, 0}}), ids_of({{6}}).view({1}));
  for (int64_t i = 0; i < kVocabulary; ++i) EXPECT_NEAR(alone.data()[i], beside.data()[i], 1e-4) << i;
}

TEST(MaskedEncoder, NothingAskedForIsNoLoss) {
  const auto model = make();
  auto& encoder = dynamic_cast<MaskedEncoder&>(*model);
  const Tensor loss = encoder.loss(ids_of({{4, 9}}), ids_of({{-1, -1}}));
  EXPECT_EQ(loss.item(), 0);
  backward(loss);
  for (const nn::NamedTensor& p : model->named_parameters()) {
    for (const float g : p.tensor.grad().span()) ASSERT_EQ(g, 0) << p.name;
  }
  EXPECT_EQ(encoder.loss(ids_of({{0, 0}}), ids_of({{-1, -1}})).item(), 0) << "a text of nothing";
}

TEST(MaskedEncoder, HasThePartsOfAnEncoderUnderTheSameNames) {
  const auto masked = make(), encoder = parse_model(Json{{"type", "encoder"}, {"vocab_size", kVocabulary}, {"layers", 2}, {"heads", 2}, {"width", 8}}).make({kLength}, 3);
  std::map<std::string, Shape> shapes;
  for (const nn::NamedTensor& p : masked->named_parameters()) shapes.emplace(p.name, p.tensor.shape());
  int64_t shared = 0;
  for (const nn::NamedTensor& p : encoder->named_parameters()) {
    if (p.name.starts_with("head.")) continue;
    ++shared;
    ASSERT_TRUE(shapes.contains(p.name)) << p.name;
    EXPECT_EQ(shapes.at(p.name), p.tensor.shape()) << p.name;
  }
  EXPECT_EQ(shared, std::ssize(shapes) - 4) << "all but the dense layer and the norm before the tokens";
}

TEST(MaskedEncoder, RefusesOtherModelsAndInputs) {
  EXPECT_THAT([] { make({{"heads", 3}, {"width", 8}}); }, ThrowsMessage<ConfigError>(HasSubstr("model.heads: got 3 for a width of 8")));
  EXPECT_THAT([] { parse_model("masked_encoder").make({28, 28, 1}, 10); }, ThrowsMessage<ConfigError>(HasSubstr("this model reads text")));
  EXPECT_THAT([] { (*make())(ids_of({{1, 2, 3, 4, 5, 6, 7}})); }, ThrowsMessage<ShapeError>(HasSubstr("T at most 6")));
  const auto model = make();
  auto& encoder = dynamic_cast<MaskedEncoder&>(*model);
  EXPECT_THAT([&] { encoder.logits(ids_of({{1, 2}}), ids_of({{2}}).view({1})); }, ThrowsMessage<ShapeError>(HasSubstr("got the place 2 in ids of shape (1, 2); expected 0 to 1")));
  EXPECT_THAT([&] { encoder.loss(ids_of({{1, 2}}), ids_of({{1}})); }, ThrowsMessage<ShapeError>(HasSubstr("expected the same")));
}

}  // namespace
}  // namespace danlu::models
