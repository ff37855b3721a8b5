#include "danlu/infer/logprobs.h"

#include <gtest/gtest.h>

#include <cmath>

namespace danlu::infer {
namespace {

TEST(TokenLogprob, IsTheLogarithmOfSoftmax) {
  const std::vector<float> logits = {1, 3, 2, 3, -INFINITY};
  const double sum = std::exp(1.0) + 2 * std::exp(3.0) + std::exp(2.0);
  const TokenLogprob result = token_logprob(logits, 2, 3);
  EXPECT_EQ(result.id, 2);
  EXPECT_NEAR(result.logprob.value(), std::log(std::exp(2.0) / sum), 1e-14);
  ASSERT_EQ(result.top.size(), 3u);
  EXPECT_EQ(result.top[0].first, 1);  // the smaller id of equals
  EXPECT_EQ(result.top[1].first, 3);
  EXPECT_EQ(result.top[2], (std::pair<data::TokenId, double>(2, result.logprob.value())));  // the very same double
}

TEST(TokenLogprob, AlwaysHasTheMostProbableToken) {
  const std::vector<float> logits = {1000, 1001, 999};
  EXPECT_EQ(token_logprob(logits, 0, 0).top.size(), 1u);
  EXPECT_EQ(token_logprob(logits, 1, 0).top[0], (std::pair<data::TokenId, double>(1, token_logprob(logits, 1, 5).logprob.value())));
  EXPECT_EQ(token_logprob(logits, 0, 100).top.size(), 3u);
}

}  // namespace
}  // namespace danlu::infer
