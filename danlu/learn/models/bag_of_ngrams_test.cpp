#include "danlu/learn/models/bag_of_ngrams.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/rng.h"
#include "danlu/base/threads.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/optim/optimizer.h"
#include "danlu/learn/train/objective.h"

namespace danlu::models {
namespace {

std::unique_ptr<nn::Module> bag(int64_t vocabulary, int64_t outputs) {
  return parse_model(Json{{"type", "bag_of_ngrams"}, {"vocab_size", vocabulary}}).make({100}, outputs);
}

Tensor named(const nn::Module& model, const std::string& name) {
  for (const auto& list : {model.named_parameters(), model.named_buffers()}) {
    for (const nn::NamedTensor& t : list) {
      if (t.name == name) return t.tensor;
    }
  }
  return {};
}

Tensor ids_of(const Shape& shape, const std::vector<int64_t>& ids) { return Tensor::from(shape, std::span<const int64_t>(ids)); }

// With the unit matrix for weights, outputs are the features.
TEST(BagOfNgrams, FeaturesAreTfIdfOfLengthOne) {
  const auto model = bag(4, 4);
  Tensor weight = named(*model, "ngrams.weight"), idf = named(*model, "idf"), bias = named(*model, "bias");
  for (int64_t i = 0; i < 4; ++i) weight.mutable_data()[i * 4 + i] = 1;
  idf.copy_from(Tensor::from({4}, {0, 2, 1, 3}));
  bias.fill(0.25f);
  const NoGrad no_grad;
  // A text of 2 1 2 2, one of 3, and one of nothing.
  const Tensor y = (*model)(ids_of({3, 4}, {2, 1, 2, 2, 3, 0, 0, 0, 0, 0, 0, 0}));
  ASSERT_EQ(y.shape(), (Shape{3, 4}));
  const double one = 2, two = 1 + std::log(3.0), norm = std::sqrt(one * one + two * two);
  const double expected[] = {0, one / norm, two / norm, 0, 0, 0, 0, 1, 0, 0, 0, 0};
  for (int64_t i = 0; i < 12; ++i) EXPECT_NEAR(y.data()[i], 0.25 + expected[i], 1e-6) << i;
}

// One word in ten says the class, and the bias nothing.
TEST(BagOfNgrams, LearnsByMarginsTheSameForAnyNumberOfThreads) {
  constexpr int64_t kTexts = 64, kLength = 10, kClasses = 30, kNoise = 1900;
  Rng rng(3);
  const auto draw = [&] {
    std::vector<int64_t> ids, labels;
    for (int64_t n = 0; n < kTexts; ++n) {
      labels.push_back(rng.below(kClasses));
      for (int64_t t = 1; t < kLength; ++t) ids.push_back(1 + rng.below(kNoise));
      ids.push_back(1 + kNoise + labels.back());
    }
    return std::pair(ids_of({kTexts, kLength}, ids), ids_of({kTexts}, labels));
  };
  const train::PredictionObjective objective(data::TaskKind::multiclass, {.classification_loss = "squared_hinge"});
  const auto train = [&](int threads) {
    const int before = num_threads();
    set_num_threads(threads);
    rng = Rng(3);
    auto model = bag(1 + kNoise + kClasses, kClasses);
    optim::Sgd optimizer(model->parameters(), {.lr = 10});
    optimizer.store().set_lr_scale(named(*model, "bias"), 0.02);
    for (int step = 0; step < 200; ++step) {
      const auto [ids, labels] = draw();
      optimizer.zero_grad();
      backward(objective.loss((*model)(ids), labels));
      optimizer.step();
    }
    set_num_threads(before);
    return model;
  };
  const auto one = train(1), two = train(2);
  const auto [ids, labels] = draw();
  const NoGrad no_grad;
  EXPECT_GT(objective.num_correct((*one)(ids), labels).value(), 60) << "by chance 2";
  const Tensor a = named(*one, "ngrams.weight"), b = named(*two, "ngrams.weight");
  EXPECT_TRUE(std::equal(a.span().begin(), a.span().end(), b.span().begin()));
}

TEST(BagOfNgrams, RefusesWhatItCannotTake) {
  EXPECT_THROW(parse_model("bag_of_ngrams").make({100}, 2), ConfigError);
  EXPECT_THROW(parse_model(Json{{"type", "bag_of_ngrams"}, {"vocab_size", 5}}).make({28, 28, 1}, 2), ConfigError);
  const auto model = bag(4, 1);
  EXPECT_THROW((*model)(ids_of({1, 1}, {4})), DataError);
  EXPECT_THROW((*model)(ids_of({1}, {1})), ShapeError);
}

}  // namespace
}  // namespace danlu::models
