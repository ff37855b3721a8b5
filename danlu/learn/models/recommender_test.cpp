#include "danlu/learn/models/recommender.h"

#include <gtest/gtest.h>

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/random.h"
#include "danlu/learn/models/model.h"

namespace danlu::models {
namespace {

const Audience kAudience{.users = 3, .items = 6, .user_features = 0, .item_features = 0, .features_of_user = {}, .features_of_item = {}};

Tensor ids(const Shape& shape, std::vector<int64_t> values) { return Tensor::from(shape, std::span<const int64_t>(values)); }

class AnyRecommender : public testing::TestWithParam<const char*> {};

TEST_P(AnyRecommender, ScoresAllItemsOfKnownAndUnknownUsers) {
  manual_seed(1);
  const auto model = make_recommender({{"type", GetParam()}, {"width", 8}}, kAudience);
  model->eval();
  const NoGrad no_grad;
  const Tensor scores = model->forward(ids({3, 4}, {2, 1, 2, 0, 0, 1, 2, 0, 0, 3, 2, 0}));
  EXPECT_EQ(scores.shape(), (Shape{3, 6}));
  for (const float score : scores.span()) EXPECT_TRUE(std::isfinite(score));
  const Tensor alone = model->forward(ids({1, 3}, {0, 3, 2}));
  for (int64_t i = 0; i < 6; ++i) EXPECT_NEAR(alone.data()[i], scores.data()[12 + i], 1e-5) << "neither padding nor company changes an answer";
  double difference = 0;
  for (int64_t i = 0; i < 6; ++i) difference += std::abs(scores.data()[6 + i] - scores.data()[12 + i]);
  EXPECT_GT(difference, 1e-4) << "what a stranger met counts";
}

TEST_P(AnyRecommender, LooksBackOnTheLastItemsAloneOrOnAll) {
  manual_seed(1);
  Json config = {{"type", GetParam()}, {"width", 8}};
  if (config["type"] != "factorization") config["length"] = 2;
  const auto model = make_recommender(config, kAudience);
  model->eval();
  const NoGrad no_grad;
  const Tensor many = model->forward(ids({1, 5}, {0, 1, 4, 5, 6})), few = model->forward(ids({1, 3}, {0, 5, 6}));
  double difference = 0;
  for (int64_t i = 0; i < 6; ++i) difference = std::max(difference, static_cast<double>(std::abs(many.data()[i] - few.data()[i])));
  if (model->length() == 0) EXPECT_GT(difference, 1e-4) << "all that one met counts";
  else EXPECT_LT(difference, 1e-5) << "what is further back does not count";
}

TEST_P(AnyRecommender, IsNoModelOfSamples) {
  EXPECT_TRUE(is_recommender(GetParam()));
  EXPECT_THROW(parse_model({{"type", GetParam()}}).make({4}, 2), ConfigError);
  EXPECT_THROW(parse_recommender({{"type", GetParam()}, {"wdth", 3}}), ConfigError);
}

INSTANTIATE_TEST_SUITE_P(Types, AnyRecommender, testing::Values("factorization", "two_tower", "sequential"));

}  // namespace
}  // namespace danlu::models
