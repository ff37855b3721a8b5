#include "danlu/learn/models/retriever.h"

#include <gmock/gmock.h>

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/rng.h"
#include "danlu/data/dataset/pair_dataset.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/linear.h"
#include "danlu/engine/ops/random.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/train/contrastive_objective.h"
#include "danlu/learn/train/trainer.h"

namespace danlu::models {
namespace {

using testing::HasSubstr;

const Json kConfig = {{"type", "retriever"}, {"dimension", 16}, {"encoder", {{"type", "bag_of_tokens"}, {"width", 16}, {"dropout", 0}}}};

TEST(Retriever, MakesUnitVectorsOfTextsWithAndWithoutTokens) {
  manual_seed(1);
  for (const char* encoder : {"bag_of_tokens", "encoder", "gru"}) {
    const auto model = make_retriever({{"type", "retriever"}, {"dimension", 8}, {"encoder", encoder}}, 10, 4);
    const NoGrad no_grad;
    model->eval();
    const Tensor y = (*model)(Tensor::from(Shape{3, 4}, std::span<const int64_t>(std::vector<int64_t>{1, 2, 3, 4, 5, 0, 0, 0, 0, 0, 0, 0})));
    ASSERT_EQ(y.shape(), (Shape{3, 8})) << encoder;
    for (int64_t row = 0; row < 3; ++row) {
      double square = 0;
      for (int64_t i = 0; i < 8; ++i) square += std::pow(y.data()[row * 8 + i], 2);
      EXPECT_TRUE(std::isfinite(square)) << encoder;
      if (row < 2) {
        EXPECT_NEAR(square, 1, 1e-5) << encoder << " row " << row;
      }
    }
  }
}

// Tokens 1 to 20 are questions' words, 21 to 40 what answers call the same: only training tells which belong together.
TEST(Retriever, LearnsThatDifferentWordsMeanTheSame) {
  manual_seed(2);
  std::vector<std::vector<int64_t>> texts;
  std::vector<data::TextPair> pairs;
  Rng rng(5);
  for (int i = 0; i < 600; ++i) {
    std::vector<int64_t> question, answer;
    for (int k = 0; k < 2; ++k) {
      const int64_t word = 1 + rng.below(20);
      question.push_back(word);
      answer.push_back(word + 20);
    }
    const auto text = std::ssize(texts);
    texts.push_back(question);
    texts.push_back(answer);
    pairs.push_back({text, text + 1, std::min(question[0], question[1]) * 100 + std::max(question[0], question[1])});
  }
  const data::PairDataset dataset(texts, pairs);
  data::DataLoader training(dataset, data::all_indexes(dataset), {.batch_size = 32}, 1, data::Phase::train);
  const auto model = make_retriever(kConfig, 41, 4);
  train::TrainOptions options;
  options.epochs = 12;
  options.optimizer = {{"type", "adamw"}, {"lr", 1e-2}};
  train::Trainer(*model, train::ContrastiveObjective({}), options).fit(training, nullptr);
  const NoGrad no_grad;
  model->eval();
  Tensor questions = Tensor::empty({20, 1}, Dtype::i64), answers = Tensor::empty({20, 1}, Dtype::i64);
  for (int64_t i = 0; i < 20; ++i) {
    questions.mutable_data<int64_t>()[i] = i + 1;
    answers.mutable_data<int64_t>()[i] = i + 21;
  }
  const Tensor scores = matmul((*model)(questions), (*model)(answers), {.transpose_b = true});
  int right = 0;
  for (int64_t i = 0; i < 20; ++i) {
    const float* row = scores.data() + i * 20;
    right += std::max_element(row, row + 20) - row == i;
  }
  EXPECT_GE(right, 19);
}

TEST(Retriever, RefusesEncodersThatReadNoText) {
  try {
    resolve_retriever({{"type", "retriever"}, {"encoder", "mlp"}});
    ADD_FAILURE();
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("model.encoder: got mlp; expected a model that reads text"));
  }
  EXPECT_EQ(resolve_retriever("retriever")["encoder"]["type"], "bag_of_tokens");
  EXPECT_THROW(resolve_retriever({{"type", "retriever"}, {"encoder", {{"type", "bag_of_tokens"}, {"widht", 3}}}}), ConfigError);
  EXPECT_THROW(parse_model("retriever").make({3}, 2), ConfigError);
}

}  // namespace
}  // namespace danlu::models
