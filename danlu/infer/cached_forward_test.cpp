#include "danlu/infer/cached_forward.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "danlu/base/rng.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/infer/testing.h"

namespace danlu::infer {
namespace {

using Tokens = std::vector<data::TokenId>;

models::GptOptions options(const std::string& family, int64_t kv_heads) {
  return {.family = family, .layers = 3, .heads = 4, .kv_heads = kv_heads, .width = 48, .context = 96, .vocab_size = 50};
}

Tokens random_tokens(int64_t count, uint64_t seed) {
  Rng rng(seed);
  Tokens tokens;
  for (int64_t i = 0; i < count; ++i) tokens.push_back(static_cast<data::TokenId>(rng.below(50)));
  return tokens;
}

// The whole sequence at once, without a cache: (T, width).
Tensor full_forward(models::Gpt& network, const Tokens& tokens) {
  const NoGrad no_grad;
  const std::vector<int64_t> ids(tokens.begin(), tokens.end());
  const auto length = static_cast<int64_t>(ids.size());
  const Tensor hidden = network.hidden(Tensor::from({1, length}, std::span<const int64_t>(ids)));
  return hidden.view({length, hidden.size(2)});
}

void expect_near(const Tensor& a, const Tensor& b, float tolerance) {
  ASSERT_EQ(a.shape(), b.shape());
  for (int64_t i = 0; i < a.numel(); ++i) ASSERT_NEAR(a.data()[i], b.data()[i], tolerance) << "at " << i;
}

struct Case {
  const char* family;
  int64_t kv_heads;
  kernels::CacheFormat format = kernels::CacheFormat::f32;
};

class CachedForward : public testing::TestWithParam<Case> {
 protected:
  CachedForward() : network_(random_gpt(options(GetParam().family, GetParam().kv_heads))), cache_(network_->options(), 3, GetParam().format) {}

  // Beside rounding of f32: that of keys and values to 11 bits. Outputs of the last norm are of size 1.
  float tolerance() const { return GetParam().format == kernels::CacheFormat::f16 ? 0.02f : 2e-4f; }

  Tensor run(int64_t slot, const Tokens& tokens) { return cached_forward(*network_, cache_, std::vector<Piece>{{slot, tokens}}); }
  int64_t claim() { return cache_.claim(Tokens{0}, 0)->slot; }

  std::unique_ptr<models::Gpt> network_;
  KvCache cache_;
};

TEST_P(CachedForward, TokenByTokenEqualsTheWholeSequence) {
  const Tokens tokens = random_tokens(96, 3);
  const Tensor expected = full_forward(*network_, tokens);
  const int64_t slot = claim();
  for (int64_t i = 0; i < 96; ++i) {
    expect_near(run(slot, {tokens[static_cast<size_t>(i)]}), expected.rows(i, i + 1), tolerance());
  }
}

TEST_P(CachedForward, PiecesOfAnySizeEqualTheWholeSequence) {
  const Tokens tokens = random_tokens(90, 4);
  const Tensor expected = full_forward(*network_, tokens);
  for (const int64_t size : {7, 32, 90}) {
    const int64_t slot = claim();
    for (int64_t begin = 0; begin < 90; begin += size) {
      const int64_t end = std::min<int64_t>(begin + size, 90);
      expect_near(run(slot, Tokens(tokens.begin() + begin, tokens.begin() + end)), expected.rows(begin, end), tolerance());
    }
    cache_.release(slot);
  }
}

// Two sequences at different places, one of them with a piece of its prompt, share a pass.
TEST_P(CachedForward, SequencesDoNotSeeEachOther) {
  const Tokens a = random_tokens(40, 5), b = random_tokens(60, 6);
  const Tensor expected_a = full_forward(*network_, a), expected_b = full_forward(*network_, b);
  const int64_t slot_a = claim(), slot_b = claim();
  run(slot_a, Tokens(a.begin(), a.begin() + 39));
  run(slot_b, Tokens(b.begin(), b.begin() + 10));
  const std::vector<Piece> pieces = {{slot_a, {a[39]}}, {slot_b, Tokens(b.begin() + 10, b.end())}};
  const Tensor y = cached_forward(*network_, cache_, pieces);
  expect_near(y.rows(0, 1), expected_a.rows(39, 40), tolerance());
  expect_near(y.rows(1, 51), expected_b.rows(10, 60), tolerance());
}

TEST_P(CachedForward, ATakenOverPrefixEqualsItsComputation) {
  const Tokens first = random_tokens(50, 7);
  Tokens second(first.begin(), first.begin() + 20);
  const Tokens rest = random_tokens(30, 8);
  second.insert(second.end(), rest.begin(), rest.end());
  const Tensor expected = full_forward(*network_, second);
  run(claim(), first);
  const auto claimed = cache_.claim(second, 49);
  ASSERT_GE(claimed->cached, 20);
  expect_near(run(claimed->slot, Tokens(second.begin() + claimed->cached, second.end())), expected.rows(claimed->cached, 50), tolerance());
}

INSTANTIATE_TEST_SUITE_P(Families, CachedForward,
                         testing::Values(Case{"gpt2", 4}, Case{"llama", 4}, Case{"llama", 2}, Case{"llama", 1}, Case{"qwen2", 2}, Case{"qwen3", 2},
                                         Case{"gpt2", 4, kernels::CacheFormat::f16}, Case{"qwen3", 2, kernels::CacheFormat::f16}),
                         [](const auto& one) {
                           return std::string(one.param.family) + "_" + std::to_string(one.param.kv_heads) +
                                  (one.param.format == kernels::CacheFormat::f16 ? "_f16" : "");
                         });

}  // namespace
}  // namespace danlu::infer
