#include "danlu/learn/train/masked_language_objective.h"

#include <gmock/gmock.h>

#include "danlu/base/error.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/learn/models/masked_encoder.h"

namespace danlu::train {
namespace {

TEST(MaskedLanguageObjective, CountsAndAsksForHiddenTokensAlone) {
  models::MaskedEncoder model({.vocab_size = 9, .layers = 1, .heads = 2, .width = 8, .dropout = 0}, 4);
  data::Batch batch;
  batch.x = Tensor::zeros({2, 3}, Dtype::i64);
  batch.y = Tensor::zeros({2, 3}, Dtype::i64);
  for (int64_t i = 0; i < 6; ++i) {
    batch.x.mutable_data<int64_t>()[i] = 1 + i;
    batch.y.mutable_data<int64_t>()[i] = i % 2 == 0 ? 8 - i : -1;
  }
  const MaskedLanguageObjective objective;
  EXPECT_EQ(objective.terms(batch), 3);
  const NoGrad no_grad;
  EXPECT_EQ(objective.evaluate(model, batch).loss.item(), model.loss(batch.x, batch.y).item());
}

TEST(MaskedLanguageObjective, RefusesOtherModels) {
  nn::Linear other(2, 3);
  EXPECT_THAT([&] { MaskedLanguageObjective().evaluate(other, {}); }, testing::ThrowsMessage<ConfigError>(testing::HasSubstr("model type masked_encoder")));
}

}  // namespace
}  // namespace danlu::train
