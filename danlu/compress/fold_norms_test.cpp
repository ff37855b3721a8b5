#include "danlu/compress/fold_norms.h"

#include <gtest/gtest.h>

#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/random.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/nn/init.h"
#include "danlu/learn/nn/layers.h"

namespace danlu::compress {
namespace {

// Norms that do something.
void stir(nn::Module& model) {
  for (const auto& all : {model.named_parameters(), model.named_buffers()}) {
    for (const nn::NamedTensor& t : all) {
      Tensor tensor = t.tensor;
      if (tensor.rank() == 1) nn::normal(tensor, 1);
      if (t.name.ends_with("running_var")) {
        for (float& v : tensor.mutable_span()) v = 0.5f + v * v;
      }
    }
  }
}

void expect_same_answers(const Json& json, const Shape& input, bool folds = true) {
  const NoGrad no_grad;
  manual_seed(4);
  const models::ModelConfig config = models::parse_model(json);
  const auto model = config.make(input, 3);
  stir(*model);
  model->eval();
  const Folded folded = fold_norms(*model, config.resolved, input, 3);
  ASSERT_EQ(folded.model != nullptr, folds);
  if (!folds) return;
  EXPECT_LT(folded.model->named_buffers().size(), model->named_buffers().size());
  Tensor x = Tensor::empty(input.insert(0, 6));
  nn::normal(x, 1);
  const Tensor expected = (*model)(x), got = (*folded.model)(x);
  for (int64_t i = 0; i < got.numel(); ++i) EXPECT_NEAR(got.data()[i], expected.data()[i], 1e-4);
}

TEST(FoldNorms, TheAnswersAreTheSame) {
  expect_same_answers({{"type", "mlp"}, {"hidden", {5, 4}}, {"batch_norm", true}, {"dropout", 0.2}}, {3});
  const Json layers = {"batch_norm", {{"conv", {{"filters", 4}, {"bias", false}}}}, "batch_norm", "relu", {{"max_pool", 2}}, {{"conv", 3}}, "batch_norm", "relu", "batch_norm", "flatten", {{"linear", 8}}, "batch_norm", "tanh"};
  expect_same_answers({{"type", "cnn"}, {"layers", layers}}, {9, 9, 2});
}

TEST(FoldNorms, WhereThereAreNone) {
  expect_same_answers({{"type", "mlp"}, {"hidden", {5}}}, {3}, false);
  expect_same_answers("cnn", {8, 8, 1}, false);
  expect_same_answers("logistic", {3}, false);
}

}  // namespace
}  // namespace danlu::compress
