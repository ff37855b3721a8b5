#include "danlu/engine/kernels/half_gemm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "danlu/base/rng.h"
#include "danlu/engine/kernels/gemm.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/matmul_precision.h"
#include "danlu/engine/kernels/reference/linear.h"
#include "danlu/engine/kernels/testing.h"

namespace danlu::kernels {
namespace {

std::vector<double> doubles(const std::vector<float>& x) { return {x.begin(), x.end()}; }

void expect_near(const std::vector<float>& y, const std::vector<double>& expected, double tolerance) {
  ASSERT_EQ(y.size(), expected.size());
  for (size_t i = 0; i < y.size(); ++i) ASSERT_NEAR(y[i], expected[i], tolerance * (1 + std::abs(expected[i]))) << "element " << i;
}

// y = a b for matrices as they lie in memory.
SmallGemm plain(int64_t m, int64_t n, int64_t k, const std::vector<float>& a, const std::vector<float>& b, std::vector<float>& y) {
  return {.m = m, .n = n, .k = k, .a = a.data(), .a_row = k, .a_step = 1, .b = b.data(), .b_row = n, .b_transposed = false, .c = y.data(), .c_row = n};
}

// A product with all that may be around it, beside the reference in double.
void expect_the_reference(void (*multiply)(const SmallGemm&), const std::vector<float>& a, const std::vector<float>& b, int64_t m, int64_t n,
                          int64_t k, bool ta, bool tb, double tolerance) {
  SCOPED_TRACE(testing::Message() << m << "x" << n << "x" << k << (ta ? " A^T" : " A") << (tb ? " B^T" : " B"));
  const auto c = normal(m * n, 3), bias = normal(n, 4);
  const auto product = reference::matmul<double>({1, m, n, k, ta, tb, true}, doubles(a), doubles(b));
  std::vector<float> y(c.size(), NAN);  // not read
  SmallGemm g{.m = m,
              .n = n,
              .k = k,
              .a = a.data(),
              .a_row = ta ? 1 : k,
              .a_step = ta ? m : 1,
              .b = b.data(),
              .b_row = tb ? k : n,
              .b_transposed = tb,
              .c = y.data(),
              .c_row = n,
              .bias = bias.data()};
  multiply(g);
  auto expected = product;
  for (size_t i = 0; i < y.size(); ++i) expected[i] += static_cast<double>(bias[i % static_cast<size_t>(n)]);
  expect_near(y, expected, tolerance);
  y = c;
  g.bias = nullptr;
  g.accumulate = true;
  g.activation = Activation::relu;
  multiply(g);
  for (size_t i = 0; i < y.size(); ++i) expected[i] = std::max(product[i] + static_cast<double>(c[i]), 0.0);
  expect_near(y, expected, tolerance);
}

// Tiles and panels with their tails, and depths around those of a part; sizes too small to repay packing are multiplied too.
template <class Test>
void for_sizes(const Test& test) {
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      for (const int64_t m : {1, 5, 49, 97}) {
        for (const int64_t n : {1, 16, 47, 130}) {
          for (const int64_t k : {1, 2, 33, 515}) test(m, n, k, ta, tb);
        }
      }
      test(37, 70, 1700, ta, tb);
      test(600, 33, 40, ta, tb);
    }
  }
}

class HalfGemm : public OnEveryIsa {
 protected:
  template <class Test>
  void where(bool (*runs)(), const char* needs, const Test& test) {
    bool ran = false;
    on_every_isa([&] {
      if (!runs()) return;
      ran = true;
      test();
    });
    if (!ran) GTEST_SKIP() << "no " << needs;
  }
  template <class Test>
  void where_bf16_runs(const Test& test) {
    where(bf16_gemm_runs, "AVX512_BF16 and no AMX", test);
  }
  template <class Test>
  void where_f16_runs(const Test& test) {
    where(f16_gemm_runs, "AVX512-FP16", test);
  }
};

// Products of operands that were rounded before are as exact as those in f32.
TEST_F(HalfGemm, InBf16ItIsTheReferenceOfRoundedOperands) {
  where_bf16_runs([] {
    for_sizes([](int64_t m, int64_t n, int64_t k, bool ta, bool tb) {
      const double tolerance = 3e-6 * std::sqrt(static_cast<double>(k)) + 1e-6;
      expect_the_reference(bf16_gemm, bf16(normal(m * k, 1)), bf16(normal(k * n, 2)), m, n, k, ta, tb, tolerance);
    });
  });
}

TEST_F(HalfGemm, Bf16RoundsToNearestEven) {
  where_bf16_runs([] {
    const int64_t size = 16;
    const auto a = normal(size * size, 1);
    std::vector<float> unit(a.size(), 0.0f), y(a.size());
    for (int64_t i = 0; i < size; ++i) unit[static_cast<size_t>(i * size + i)] = 1;
    for (const bool transpose : {false, true}) {
      SmallGemm g = plain(size, size, size, unit, a, y);
      if (transpose) std::swap(g.a_row, g.a_step);
      bf16_gemm(g);
      EXPECT_EQ(y, bf16(a));
      g.a = a.data();
      g.b = unit.data();
      g.a_row = size;
      g.a_step = 1;
      g.b_transposed = transpose;
      bf16_gemm(g);
      EXPECT_EQ(y, bf16(a));
    }
  });
}

// Whole numbers whose sums have no more than 11 bits are exact in f16 too.
TEST_F(HalfGemm, InF16SumsOfSmallNumbersAreExact) {
  where_f16_runs([] {
    for_sizes([](int64_t m, int64_t n, int64_t k, bool ta, bool tb) {
      const auto whole = [](std::vector<float> x) {
        for (float& v : x) v = std::clamp(std::round(v), -2.0f, 2.0f);
        return x;
      };
      expect_the_reference(f16_gemm, whole(normal(m * k, 1)), whole(normal(k * n, 2)), m, n, k, ta, tb, 1e-5);
    });
  });
}

// Against f32, by the root of the mean square: rounding of operands gives 4e-4, sums of 64 in f16 the rest.
TEST_F(HalfGemm, InF16TheErrorIsAThousandth) {
  where_f16_runs([] {
    const int64_t m = 70, n = 150, k = 900;
    for (const float scale : {1.0f, 1e-15f, 1e15f}) {  // scaling makes up for what f16 cannot hold
      auto a = normal(m * k, 1);
      const auto b = normal(k * n, 2);
      for (float& x : a) x *= scale;
      const auto exact = reference::matmul<double>({1, m, n, k, false, true, true}, doubles(a), doubles(b));
      std::vector<float> y(exact.size());
      f16_gemm({.m = m,
                .n = n,
                .k = k,
                .a = a.data(),
                .a_row = k,
                .a_step = 1,
                .b = b.data(),
                .b_row = k,
                .b_transposed = true,
                .c = y.data(),
                .c_row = n});
      double error = 0, square = 0;
      for (size_t i = 0; i < y.size(); ++i) {
        error += std::pow(static_cast<double>(y[i]) - exact[i], 2);
        square += std::pow(exact[i], 2);
      }
      EXPECT_LT(std::sqrt(error / square), 2e-3) << scale;
      EXPECT_GT(error, 0) << scale;
    }
  });
}

TEST_F(HalfGemm, WhatIsNotFiniteStaysVisible) {
  const auto expect = [](void (*multiply)(const SmallGemm&)) {
    const int64_t size = 20;
    for (const float bad : {NAN, HUGE_VALF}) {
      auto a = normal(size * size, 1);
      const auto b = normal(size * size, 2);
      a[3] = bad;
      std::vector<float> y(a.size());
      multiply(plain(size, size, size, a, b, y));
      for (int64_t j = 0; j < size; ++j) EXPECT_FALSE(std::isfinite(y[static_cast<size_t>(j)]));
      for (size_t i = size; i < y.size(); ++i) EXPECT_TRUE(std::isfinite(y[i])) << i;
    }
  };
  where_bf16_runs([&] { expect(bf16_gemm); });
  if (!IsSkipped()) where_f16_runs([&] { expect(f16_gemm); });
}

TEST_F(HalfGemm, ARightOperandThatIsPackedOnceGivesTheSameBits) {
  on_every_isa([] {
    if (half_format() == HalfFormat::none) return;
    const int64_t m = 33, n = 70, k = 100;
    const auto a = normal(m * k, 1), b = normal(k * n, 2), bias = normal(n, 3);
    for (const bool transposed : {false, true}) {
      const int64_t b_row = transposed ? k : n;
      std::vector<float> once(static_cast<size_t>(m * n)), packed(once), memory(static_cast<size_t>(HalfRight::floats(k, n) + 16));
      half_gemm({.m = m,
                 .n = n,
                 .k = k,
                 .a = a.data(),
                 .a_row = k,
                 .a_step = 1,
                 .b = b.data(),
                 .b_row = b_row,
                 .b_transposed = transposed,
                 .c = once.data(),
                 .c_row = n,
                 .bias = bias.data()});
      auto address = reinterpret_cast<uintptr_t>(memory.data());
      const HalfRight right(b.data(), b_row, transposed, k, n, reinterpret_cast<float*>((address + 63) / 64 * 64));
      right.multiply(m, a.data(), k, packed.data(), n, false, bias.data());
      EXPECT_EQ(packed, once);
    }
  });
}

}  // namespace
}  // namespace danlu::kernels
