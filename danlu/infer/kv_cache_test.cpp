#include "danlu/infer/kv_cache.h"

#include <gtest/gtest.h>

#include "danlu/base/error.h"
#include "danlu/base/float16.h"
#include "danlu/infer/testing.h"

namespace danlu::infer {
namespace {

using Tokens = std::vector<data::TokenId>;

constexpr int64_t kLayers = 2, kHeads = 2, kHeadDim = 4;

models::GptOptions shape(int64_t context = 1000) {
  return {.layers = kLayers, .heads = 4, .kv_heads = kHeads, .width = 16, .head_dim = kHeadDim, .context = context, .vocab_size = 100};
}

// One number of the cache, by its place in a page (kernels/attention.h).
struct Number {
  std::byte* head;
  int64_t at;
  bool is_f16;
  void set(float value) const {
    if (is_f16) reinterpret_cast<uint16_t*>(head)[at] = f32_to_f16(value);
    else reinterpret_cast<float*>(head)[at] = value;
  }
  float get() const { return is_f16 ? f16_to_f32(reinterpret_cast<const uint16_t*>(head)[at]) : reinterpret_cast<const float*>(head)[at]; }
};

Number number(const KvCache& cache, const kernels::CachedSequence& s, int64_t head, int64_t position, int64_t at) {
  const kernels::CachedHeads& shape = cache.shape();
  return {s.pages[position / kernels::kCacheTile] + s.offset + head * shape.head_bytes(), at, shape.format == kernels::CacheFormat::f16};
}

Number key(const KvCache& cache, const kernels::CachedSequence& s, int64_t head, int64_t position, int64_t d) {
  return number(cache, s, head, position, d * kernels::kCacheTile + position % kernels::kCacheTile);
}

Number value(const KvCache& cache, const kernels::CachedSequence& s, int64_t head, int64_t position, int64_t d) {
  return number(cache, s, head, position, kernels::kCacheTile * kHeadDim + position % kernels::kCacheTile * cache.shape().value_row() + d);
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
          const auto told = static_cast<float>(1000 * layer + 100 * head + tokens[static_cast<size_t>(i)]);
          key(cache, s, head, begin + i, d).set(told);
          value(cache, s, head, begin + i, d).set(-told);
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
        const auto told = static_cast<float>(1000 * layer + 100 * head + tokens[i]);
        ASSERT_EQ(key(cache, s, head, static_cast<int64_t>(i), 3).get(), told);
        ASSERT_EQ(value(cache, s, head, static_cast<int64_t>(i), 3).get(), -told);
      }
    }
  }
}

class KvCacheOf : public testing::TestWithParam<kernels::CacheFormat> {
 protected:
  KvCache cache_of(int64_t slots, int64_t context = 1000) const { return {shape(context), slots, GetParam()}; }
};

int64_t pages(const KvCache& cache) { return cache.bytes() / (kLayers * cache.shape().layer_bytes()); }

INSTANTIATE_TEST_SUITE_P(Formats, KvCacheOf, testing::Values(kernels::CacheFormat::f32, kernels::CacheFormat::f16),
                         [](const auto& format) { return format.param == kernels::CacheFormat::f16 ? "f16" : "f32"; });

TEST_P(KvCacheOf, GrowsWithItsSequences) {
  KvCache cache = cache_of(4);
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
  EXPECT_EQ(pages(cache), 5) << "of 64 tokens";
}

TEST_P(KvCacheOf, ASequenceThatGoesOnTakesItsSlotOver) {
  KvCache cache = cache_of(3);
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

TEST_P(KvCacheOf, ABeginningIsTakenOverFromASequenceThatRunsOrHasMore) {
  KvCache cache = cache_of(3);
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

TEST_P(KvCacheOf, PagesAreSharedUntilTheyAreWrittenTo) {
  KvCache cache = cache_of(3);
  const int64_t first = cache.claim(Tokens{1}, 0)->slot;
  Tokens text(100, 7);
  feed(cache, first, text);
  EXPECT_EQ(pages(cache), 2);
  const auto second = cache.claim(text, 99);
  EXPECT_EQ(second->cached, 99);
  EXPECT_EQ(pages(cache), 2) << "the same ones";
  feed(cache, second->slot, {8, 9});
  EXPECT_EQ(pages(cache), 3) << "the first is still shared";
  feed(cache, first, {5});
  EXPECT_EQ(pages(cache), 3);
  text.push_back(5);
  expect_holds(cache, first, text);
  text.resize(99);
  text.insert(text.end(), {8, 9});
  expect_holds(cache, second->slot, text);
  // Whoever was there first may be the one that goes on and copies.
  const auto third = cache.claim(text, 101);
  feed(cache, second->slot, {4});
  EXPECT_EQ(pages(cache), 4);
  expect_holds(cache, third->slot, text);
}

TEST_P(KvCacheOf, TheSlotUnusedForLongestIsTaken) {
  KvCache cache = cache_of(2);
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

TEST_P(KvCacheOf, WhatIsNotKeptIsNotReused) {
  KvCache cache = cache_of(2);
  const int64_t slot = cache.claim(Tokens{1, 2, 3}, 2)->slot;
  feed(cache, slot, {1, 2, 3});
  cache.release(slot, false);
  EXPECT_EQ(cache.claim(Tokens{1, 2, 3, 4}, 3)->cached, 0);
}

TEST_P(KvCacheOf, WhatIsCutOffIsWrittenOver) {
  KvCache cache = cache_of(2);
  const int64_t slot = cache.claim(Tokens{1}, 0)->slot;
  feed(cache, slot, {1, 2, 3, 4, 5});
  cache.cut(slot, 3);
  expect_holds(cache, slot, {1, 2, 3});
  feed(cache, slot, {6});
  expect_holds(cache, slot, {1, 2, 3, 6});
  EXPECT_THROW(cache.cut(slot, 5), InternalError);
  EXPECT_EQ(cache.claim(Tokens{1, 2, 3, 4, 5}, 5)->cached, 3);
}

TEST_P(KvCacheOf, HoldsNoMoreThanTheContext) {
  KvCache cache = cache_of(1, 70);
  const int64_t slot = cache.claim(Tokens{1}, 0)->slot;
  feed(cache, slot, Tokens(69, 5));
  feed(cache, slot, {6});
  EXPECT_EQ(pages(cache), 2);
  EXPECT_THROW(cache.append(slot, Tokens{7}), InternalError);
}

TEST(KvCache, IsOf16BitsForWeightsOfFewBits) {
  EXPECT_EQ(default_cache_format(*random_gpt(shape())), kernels::CacheFormat::f32);
  EXPECT_EQ(default_cache_format(*quantized_gpt(shape())), kernels::CacheFormat::f16);
}

}  // namespace
}  // namespace danlu::infer
