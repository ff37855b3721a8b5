#include "danlu/infer/kv_cache.h"

#include <gtest/gtest.h>

#include "danlu/base/error.h"

namespace danlu::infer {
namespace {

using Tokens = std::vector<data::TokenId>;

constexpr int64_t kLayers = 2, kHeads = 2, kHeadDim = 4;

models::GptOptions shape(int64_t context = 1000) {
  return {.layers = kLayers, .heads = 4, .kv_heads = kHeads, .width = 16, .head_dim = kHeadDim, .context = context, .vocab_size = 100};
}

// Appends tokens, with keys and values that tell where they belong.
void feed(KvCache& cache, int64_t slot, const Tokens& tokens) {
  const int64_t begin = cache.length(slot), rows = static_cast<int64_t>(tokens.size());
  cache.append(slot, tokens);
  for (int64_t layer = 0; layer < kLayers; ++layer) {
    const kernels::CachedSequence s = cache.sequence(slot, layer, rows);
    EXPECT_EQ(s.position, begin);
    for (int64_t head = 0; head < kHeads; ++head) {
      for (int64_t i = 0; i < rows; ++i) {
        for (int64_t d = 0; d < kHeadDim; ++d) {
          const int64_t at = (head * s.capacity + begin + i) * kHeadDim + d;
          s.keys[at] = static_cast<float>(1000 * layer + 100 * head + tokens[static_cast<size_t>(i)]);
          s.values[at] = -s.keys[at];
        }
      }
    }
  }
}

void expect_holds(KvCache& cache, int64_t slot, const Tokens& tokens) {
  ASSERT_EQ(cache.length(slot), static_cast<int64_t>(tokens.size()));
  for (int64_t layer = 0; layer < kLayers; ++layer) {
    const kernels::CachedSequence s = cache.sequence(slot, layer, 0);
    for (int64_t head = 0; head < kHeads; ++head) {
      for (size_t i = 0; i < tokens.size(); ++i) {
        const int64_t at = (head * s.capacity + static_cast<int64_t>(i)) * kHeadDim + 3;
        ASSERT_EQ(s.keys[at], static_cast<float>(1000 * layer + 100 * head + tokens[i]));
        ASSERT_EQ(s.values[at], -s.keys[at]);
      }
    }
  }
}

TEST(KvCache, GrowsWithItsSequences) {
  KvCache cache(shape(), 4);
  EXPECT_EQ(cache.bytes(), 0);
  const auto claim = cache.claim(Tokens{1}, 0);
  ASSERT_TRUE(claim);
  Tokens all;
  for (int i = 0; i < 100; ++i) {
    const Tokens piece = {i, i + 1, i + 2};
    feed(cache, claim->slot, piece);
    all.insert(all.end(), piece.begin(), piece.end());
  }
  expect_holds(cache, claim->slot, all);
  EXPECT_LE(cache.bytes(), 2 * 600 * kLayers * kHeads * kHeadDim * 4);  // twice what is used at most
}

TEST(KvCache, ASequenceThatGoesOnTakesItsSlotOver) {
  KvCache cache(shape(), 3);
  const int64_t slot = cache.claim(Tokens{1, 2, 3}, 2)->slot;
  feed(cache, slot, {1, 2, 3, 4});
  cache.release(slot);
  const auto claim = cache.claim(Tokens{1, 2, 3, 4, 5}, 4);
  EXPECT_EQ(claim->slot, slot);
  EXPECT_EQ(claim->cached, 4);
  expect_holds(cache, slot, {1, 2, 3, 4});
  cache.release(slot);
  // The same again: one token has to be computed.
  EXPECT_EQ(cache.claim(Tokens{1, 2, 3, 4}, 3)->cached, 3);
}

TEST(KvCache, ABeginningIsCopiedFromASequenceThatRunsOrHasMore) {
  KvCache cache(shape(), 3);
  const int64_t first = cache.claim(Tokens{1, 2, 3}, 2)->slot;
  feed(cache, first, {1, 2, 3});
  const auto second = cache.claim(Tokens{1, 2, 9}, 2);
  EXPECT_NE(second->slot, first);
  EXPECT_EQ(second->cached, 2);
  expect_holds(cache, second->slot, {1, 2});
  expect_holds(cache, first, {1, 2, 3});

  feed(cache, first, {4, 5, 6, 7});
  cache.release(first);
  const auto third = cache.claim(Tokens{1, 2, 3, 8}, 3);
  EXPECT_NE(third->slot, first);  // most of it would be lost
  EXPECT_EQ(third->cached, 3);
  expect_holds(cache, third->slot, {1, 2, 3});
  expect_holds(cache, first, {1, 2, 3, 4, 5, 6, 7});
}

TEST(KvCache, TheSlotUnusedForLongestIsTaken) {
  KvCache cache(shape(), 2);
  const int64_t a = cache.claim(Tokens{1, 1}, 0)->slot;
  feed(cache, a, {1, 1});
  const int64_t b = cache.claim(Tokens{2, 2}, 0)->slot;
  feed(cache, b, {2, 2});
  EXPECT_FALSE(cache.claim(Tokens{3}, 0)) << "both run";
  EXPECT_EQ(cache.running(), 2);
  cache.release(b);
  cache.release(a);
  EXPECT_EQ(cache.running(), 0);
  const auto c = cache.claim(Tokens{3, 3}, 1);
  EXPECT_EQ(c->slot, b);
  EXPECT_EQ(c->cached, 0);
  EXPECT_EQ(cache.length(b), 0);
  expect_holds(cache, a, {1, 1});
}

TEST(KvCache, WhatIsNotKeptIsNotReused) {
  KvCache cache(shape(), 2);
  const int64_t slot = cache.claim(Tokens{1, 2, 3}, 2)->slot;
  feed(cache, slot, {1, 2, 3});
  cache.release(slot, false);
  EXPECT_EQ(cache.claim(Tokens{1, 2, 3, 4}, 3)->cached, 0);
}

TEST(KvCache, HoldsNoMoreThanTheContext) {
  KvCache cache(shape(70), 1);
  const int64_t slot = cache.claim(Tokens{1}, 0)->slot;
  feed(cache, slot, Tokens(69, 5));
  feed(cache, slot, {6});
  EXPECT_EQ(cache.bytes(), 2 * 70 * kLayers * kHeads * kHeadDim * 4);
  EXPECT_THROW(cache.append(slot, Tokens{7}), InternalError);
}

}  // namespace
}  // namespace danlu::infer
