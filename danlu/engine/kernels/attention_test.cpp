#include "danlu/engine/kernels/attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <vector>

#include "danlu/base/float16.h"
#include "danlu/base/rng.h"
#include "danlu/base/threads.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/matmul_precision.h"
#include "danlu/engine/kernels/reference/language.h"
#include "danlu/engine/kernels/testing.h"

namespace danlu::kernels {
namespace {

// A cache of one sequence, of two layers, the second of which is used; what has not been stored is NaN, so that reading it shows.
struct Cache {
  Cache(const CachedHeads& h, int64_t positions) : offset(h.layer_bytes()) {
    const uint32_t nan = h.format == CacheFormat::f16 ? 0x7e007e00u : std::bit_cast<uint32_t>(NAN);
    for (int64_t page = 0; page < positions; page += kCacheTile) memory.emplace_back(2 * h.layer_bytes() / 4, nan);
    for (std::vector<uint32_t>& page : memory) pages.push_back(reinterpret_cast<std::byte*>(page.data()));
  }
  CachedSequence next(int64_t rows) {
    position += rows;
    return {pages.data(), offset, position - rows, rows};
  }
  int64_t offset, position = 0;
  std::vector<std::vector<uint32_t>> memory;
  std::vector<std::byte*> pages;
};

// What the reference gives for a whole sequence.
std::vector<double> whole(const CachedHeads& h, const std::vector<float>& qkv) {
  const auto length = static_cast<int64_t>(qkv.size()) / h.row();
  return reference::attention<double>({1, length, h.heads, h.kv_heads, h.head_dim, true, static_cast<double>(h.scale)}, {qkv.begin(), qkv.end()}, {});
}

// The queries as they are, keys and values rounded to f16.
std::vector<float> rounded(const CachedHeads& h, std::vector<float> qkv) {
  for (size_t i = 0; i < qkv.size(); ++i) {
    if (static_cast<int64_t>(i) % h.row() >= h.heads * h.head_dim) qkv[i] = f16_to_f32(f32_to_f16(qkv[i]));
  }
  return qkv;
}

void expect_near(const std::vector<float>& y, const std::vector<double>& expected) {
  ASSERT_EQ(y.size(), expected.size());
  for (size_t i = 0; i < y.size(); ++i) ASSERT_NEAR(y[i], expected[i], 3e-6 + 2e-5 * std::abs(expected[i])) << "element " << i;
}

class AttentionCached : public OnEveryIsa {};

// A prompt at once, its continuation row by row, and everything in pieces of other lengths.
TEST_F(AttentionCached, InPiecesIsTheWholeSequence) {
  on_every_isa([] {
    for (const CacheFormat format : {CacheFormat::f32, CacheFormat::f16}) {
      for (CachedHeads h : {CachedHeads{2, 2, 8, 0.3f}, {6, 2, 16, 0.3f}, {3, 1, 5, 0.3f}, {1, 1, 33, 0.3f}, {2, 1, 64, 0.3f}}) {
        h.format = format;
        for (const std::vector<int64_t>& pieces : {std::vector<int64_t>{7, 1, 1, 1}, {1, 1, 5}, {70, 3, 66}, {300}, {0, 4, 0}}) {
          const int64_t length = std::accumulate(pieces.begin(), pieces.end(), int64_t{0});
          const std::vector<float> qkv = normal(length * h.row(), 1);
          std::vector<float> y(static_cast<size_t>(length * h.heads * h.head_dim), NAN);
          Cache cache(h, length + 3);
          for (const int64_t rows : pieces) {
            const int64_t row = cache.position;
            const CachedSequence sequence = cache.next(rows);
            attention_cached(h, qkv.data() + row * h.row(), {&sequence, 1}, y.data() + row * h.heads * h.head_dim);
          }
          expect_near(y, whole(h, format == CacheFormat::f16 ? rounded(h, qkv) : qkv));
        }
      }
    }
  });
}

TEST_F(AttentionCached, ARowDoesNotDependOnHowManyComeWithIt) {
  on_every_isa([] {
    for (const CacheFormat format : {CacheFormat::f32, CacheFormat::f16}) {
      const CachedHeads h{6, 2, 40, 0.3f, format};
      const int64_t length = 270, first = 250, y_row = h.heads * h.head_dim;  // across the end of a chunk
      const std::vector<float> qkv = normal(length * h.row(), 1);
      std::vector<float> one(static_cast<size_t>(length * y_row)), several = one;
      Cache cache(h, length), other(h, length);
      for (Cache* each : {&cache, &other}) {
        const CachedSequence sequence = each->next(first);
        attention_cached(h, qkv.data(), {&sequence, 1}, (each == &cache ? one : several).data());
      }
      for (int64_t row = first; row < length; ++row) {
        const CachedSequence sequence = cache.next(1);
        attention_cached(h, qkv.data() + row * h.row(), {&sequence, 1}, one.data() + row * y_row);
      }
      for (int64_t row = first, rows = 3; row < length; row += rows, rows = std::min(rows % 9 + 1, length - row)) {
        const CachedSequence sequence = other.next(rows);
        attention_cached(h, qkv.data() + row * h.row(), {&sequence, 1}, several.data() + row * y_row);
      }
      EXPECT_EQ(one, several);
    }
  });
}

TEST_F(AttentionCached, WhatNoF16CanHoldIsCutAndANaNStays) {
  on_every_isa([] {
    const CachedHeads h{1, 1, 4, 1.0f, CacheFormat::f16};
    std::vector<float> qkv = {0, 0, 0, 0, 1e6f, 1, 1, 1, 1e6f, -1e6f, 1e-6f, NAN}, y(4);
    Cache cache(h, 1);
    const CachedSequence sequence = cache.next(1);
    attention_cached(h, qkv.data(), {&sequence, 1}, y.data());
    EXPECT_EQ(y[0], 65504);
    EXPECT_EQ(y[1], -65504);
    EXPECT_NEAR(y[2], 1e-6f, 3e-8f);
    EXPECT_TRUE(std::isnan(y[3]));
  });
}

TEST_F(AttentionCached, ASequenceDoesNotDependOnWhatElseIsInTheCall) {
  const CachedHeads h{4, 2, 16, 0.3f, CacheFormat::f16};
  const std::vector<int64_t> rows = {3, 1, 0, 80, 1};
  const int64_t total = std::accumulate(rows.begin(), rows.end(), int64_t{0}), y_row = h.heads * h.head_dim;
  const std::vector<float> qkv = normal(total * h.row(), 1);
  const int before = num_threads();
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    std::vector<Cache> together, alone;
    std::vector<CachedSequence> sequences;
    for (const int64_t r : rows) {
      together.emplace_back(h, r + 1);
      alone.emplace_back(h, r + 1);
      sequences.push_back(together.back().next(r));
    }
    std::vector<float> y(static_cast<size_t>(total * y_row)), one = y;
    attention_cached(h, qkv.data(), sequences, y.data());
    int64_t row = 0;
    for (size_t i = 0; i < rows.size(); row += rows[i++]) {
      const CachedSequence sequence = alone[i].next(rows[i]);
      attention_cached(h, qkv.data() + row * h.row(), {&sequence, 1}, one.data() + row * y_row);
    }
    EXPECT_EQ(y, one) << threads << " threads";
  }
  set_num_threads(before);
}

// Of a query, a key and a value: whoever sees it shows it, and the rows long before it do not.
TEST_F(AttentionCached, ANaNInTrainingStaysVisible) {
  on_every_isa([] {
    const AttentionShape shape{1, 200, 1, 1, 8, true, 0.3f};
    for (const int64_t part : {0, 8, 16}) {
      std::vector<float> qkv = normal(shape.length * shape.row(), 1), y(static_cast<size_t>(shape.length * 8));
      qkv[static_cast<size_t>(150 * shape.row() + part)] = NAN;
      attention(shape, qkv.data(), nullptr, y.data(), nullptr);
      EXPECT_TRUE(std::isnan(y[150 * 8])) << part;
      EXPECT_EQ(std::isnan(y[199 * 8]), part > 0) << part;
      EXPECT_TRUE(std::none_of(y.begin(), y.begin() + 140 * 8, [](float v) { return std::isnan(v); })) << part;
    }
  });
}

// By the root of the mean square.
double relative_error(const std::vector<float>& y, const std::vector<float>& expected) {
  double error = 0, square = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    error += std::pow(static_cast<double>(y[i]) - static_cast<double>(expected[i]), 2);
    square += std::pow(static_cast<double>(expected[i]), 2);
  }
  return std::sqrt(error / square);
}

struct Attended {
  std::vector<float> y, log_sum_exp, dqkv;
};

Attended attended(const AttentionShape& s, const std::vector<float>& qkv, const int64_t* first, const std::vector<float>& dy) {
  const auto rows = static_cast<size_t>(s.batch * s.length);
  Attended a{std::vector<float>(dy.size(), NAN), std::vector<float>(rows * static_cast<size_t>(s.heads), NAN), std::vector<float>(qkv.size(), NAN)};
  attention(s, qkv.data(), first, a.y.data(), a.log_sum_exp.data());
  attention_backward(s, dy.data(), qkv.data(), first, a.y.data(), a.log_sum_exp.data(), a.dqkv.data());
  return a;
}

struct Heads {
  int64_t heads, kv_heads, head_dim;
};

// Lengths around those of a tile and of a chunk, heads that share keys, head sizes that fill no tile, sequences of several documents.
using AttentionInHalf = OnEveryIsa;
TEST_F(AttentionInHalf, IsThatInF32ToWithinTheRounding) {
  if (supported_isas().back() < Isa::amx) GTEST_SKIP() << "no AMX";
  set_isa(Isa::amx);  // whatever DANLU_ISA says
  for (const int64_t length : {1, 5, 33, 64, 100, 300}) {
    for (const Heads& h : {Heads{2, 2, 64}, Heads{4, 2, 32}, Heads{3, 1, 24}, Heads{1, 1, 128}}) {
      for (const bool causal : {false, true}) {
        SCOPED_TRACE(testing::Message() << length << " positions, " << h.heads << " heads of " << h.head_dim << (causal ? ", causal" : ""));
        const AttentionShape s{2, length, h.heads, h.kv_heads, h.head_dim, causal, 1 / std::sqrt(static_cast<float>(h.head_dim))};
        const auto qkv = normal(s.batch * length * s.row(), 1), dy = normal(s.batch * length * h.heads * h.head_dim, 2);
        std::vector<int64_t> documents(static_cast<size_t>(s.batch * length), 0);
        for (size_t i = 0; i < documents.size(); ++i) documents[i] = static_cast<int64_t>(i) % length / 7 * 7;
        for (const int64_t* const first : {static_cast<const int64_t*>(nullptr), static_cast<const int64_t*>(documents.data())}) {
          const Attended exact = attended(s, qkv, first, dy);
          const WithMatmulPrecision medium(MatmulPrecision::medium);
          const Attended half = attended(s, qkv, first, dy);
          EXPECT_LT(relative_error(half.y, exact.y), 0.01);
          EXPECT_LT(relative_error(half.log_sum_exp, exact.log_sum_exp), 0.01);
          EXPECT_LT(relative_error(half.dqkv, exact.dqkv), 0.015);
          EXPECT_NE(half.y, exact.y);
          const int before = num_threads();
          set_num_threads(3);
          EXPECT_EQ(attended(s, qkv, first, dy).dqkv, half.dqkv);
          set_num_threads(before);
        }
      }
    }
  }
}

}  // namespace
}  // namespace danlu::kernels
