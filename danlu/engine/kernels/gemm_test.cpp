#include "danlu/engine/kernels/gemm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/rng.h"
#include "danlu/base/threads.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/matmul_precision.h"
#include "danlu/engine/kernels/reference/linear.h"
#include "danlu/engine/kernels/small_gemm.h"
#include "danlu/engine/kernels/testing.h"

namespace danlu::kernels {
namespace {

std::vector<double> doubles(const std::vector<float>& x) { return {x.begin(), x.end()}; }

void expect_near(const std::vector<float>& y, const std::vector<double>& expected, int64_t k) {
  const double tolerance = 3e-6 * std::sqrt(static_cast<double>(k)) + 1e-6;
  ASSERT_EQ(y.size(), expected.size());
  for (size_t i = 0; i < y.size(); ++i) ASSERT_NEAR(y[i], expected[i], tolerance * (1 + std::abs(expected[i]))) << "element " << i;
}

// Every height of a tile, every width of a panel with its tails, and depths around that of a panel.
using Gemm = OnEveryIsa;
TEST_F(Gemm, EverySizeAndTransposition) {
  on_every_isa([] {
    for (const int64_t m : {1, 2, 5, 6, 11, 12, 13, 31}) {
      for (const int64_t n : {1, 3, 4, 7, 8, 15, 16, 33, 64, 79}) {
        for (const int64_t k : {1, 3, 4, 17, 128, 131}) {
          const auto a = normal(m * k, 1), b = normal(k * n, 2), c = normal(m * n, 3);
          for (const bool ta : {false, true}) {
            for (const bool tb : {false, true}) {
              SCOPED_TRACE(testing::Message() << m << "x" << n << "x" << k << (ta ? " A^T" : " A") << (tb ? " B^T" : " B"));
              auto expected = reference::matmul<double>({1, m, n, k, ta, tb, true}, doubles(a), doubles(b));
              std::vector<float> y(c.size(), NAN);  // not read
              gemm(ta, tb, m, n, k, a.data(), b.data(), 0, y.data());
              expect_near(y, expected, k);
              y = c;
              gemm(ta, tb, m, n, k, a.data(), b.data(), 1, y.data());
              for (size_t i = 0; i < y.size(); ++i) expected[i] += static_cast<double>(c[i]);
              expect_near(y, expected, k);
            }
          }
        }
      }
    }
  });
}

using LinearForward = OnEveryIsa;
TEST_F(LinearForward, BiasAndActivation) {
  on_every_isa([] {
    for (const Activation activation : {Activation::none, Activation::relu, Activation::leaky_relu, Activation::sigmoid, Activation::tanh}) {
      for (const int64_t n : {1, 10, 70}) {
        const int64_t m = 13, k = 150;
        const auto x = normal(m * k, 1), w = normal(n * k, 2), bias = normal(n, 3);
        std::vector<float> y(static_cast<size_t>(m * n), NAN);
        linear_forward(x.data(), w.data(), bias.data(), y.data(), m, n, k, activation);
        expect_near(y, reference::linear(doubles(x), doubles(w), doubles(bias), m, n, k, activation), k);
        linear_forward(x.data(), w.data(), nullptr, y.data(), m, n, k, activation);
        expect_near(y, reference::linear(doubles(x), doubles(w), {}, m, n, k, activation), k);
      }
    }
  });
}

TEST_F(LinearForward, ANanStaysVisible) {
  on_every_isa([] {
    const std::vector<float> x = {NAN, 1}, w = {1, 1, 1, 1};
    for (const Activation activation : {Activation::none, Activation::relu, Activation::leaky_relu, Activation::sigmoid, Activation::tanh}) {
      std::vector<float> y(2);
      linear_forward(x.data(), w.data(), nullptr, y.data(), 1, 2, 2, activation);
      EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[1]));
    }
  });
}

// Element (i, j) of A' B' in double.
double product_at(const std::vector<float>& a, bool ta, const std::vector<float>& b, bool tb, int64_t m, int64_t n, int64_t k, int64_t i, int64_t j) {
  double total = 0;
  for (int64_t p = 0; p < k; ++p) {
    total += static_cast<double>(a[static_cast<size_t>(ta ? p * m + i : i * k + p)]) * static_cast<double>(b[static_cast<size_t>(tb ? j * k + p : p * n + j)]);
  }
  return total;
}

using MatmulPrecisionOf = OnEveryIsa;
TEST_F(MatmulPrecisionOf, TheScopeAndWhatRepaysIt) {
  if (!medium_precision_runs()) {
    EXPECT_THROW(WithMatmulPrecision(MatmulPrecision::medium), ConfigError);
    GTEST_SKIP() << "no format of half precision runs";
  }
  const int64_t m = 64, n = 40, k = 300;
  const auto x = normal(m * k, 1), w = normal(n * k, 2), bias = normal(n, 3);
  const auto forward = [&](int64_t rows) {
    std::vector<float> y(static_cast<size_t>(rows * n));
    linear_forward(x.data(), w.data(), bias.data(), y.data(), rows, n, k, Activation::tanh);
    return y;
  };
  const auto exact = forward(m), few = forward(4);
  {
    const WithMatmulPrecision medium(MatmulPrecision::medium);
    EXPECT_NE(forward(m), exact);
    EXPECT_EQ(forward(4), few);
    const WithMatmulPrecision highest(MatmulPrecision::highest);
    EXPECT_EQ(forward(m), exact);
  }
  EXPECT_EQ(forward(m), exact);
  set_isa(Isa::scalar);
  EXPECT_THROW(WithMatmulPrecision(MatmulPrecision::medium), ConfigError);
}

// Beyond the border to oneDNN, with sums on either side of the length above which a transposed operand goes in pieces: every
// seventh element of every fifth row.
TEST(LargeGemm, IsTheReference) {
  for (const int64_t k : {700, 1100}) {
    const int64_t m = 401, n = 503;
    ASSERT_GT(m * n * k, most_small_gemm());
    const auto a = normal(m * k, 1), b = normal(k * n, 2), c = normal(m * n, 3), bias = normal(n, 4);
    for (const bool ta : {false, true}) {
      std::vector<float> y(c.size(), NAN), sum = c, linear = y, rectified = y;
      gemm(ta, !ta, m, n, k, a.data(), b.data(), 0, y.data());
      gemm(ta, !ta, m, n, k, a.data(), b.data(), 1, sum.data());
      linear_forward(a.data(), b.data(), bias.data(), linear.data(), m, n, k, Activation::none);
      linear_forward(a.data(), b.data(), bias.data(), rectified.data(), m, n, k, Activation::relu);
      for (int64_t i = 0; i < m; i += 5) {
        for (int64_t j = i % 7; j < n; j += 7) {
          const auto at = static_cast<size_t>(i * n + j);
          const double expected = product_at(a, ta, b, !ta, m, n, k, i, j);
          const double with_bias = product_at(a, false, b, true, m, n, k, i, j) + static_cast<double>(bias[static_cast<size_t>(j)]);
          ASSERT_NEAR(y[at], expected, 1e-3) << i << ", " << j;
          ASSERT_NEAR(sum[at], expected + static_cast<double>(c[at]), 1e-3) << i << ", " << j;
          ASSERT_NEAR(linear[at], with_bias, 1e-3) << i << ", " << j;
          ASSERT_NEAR(rectified[at], std::max(with_bias, 0.0), 1e-3) << i << ", " << j;
        }
      }
    }
  }
}

// On either side of the border between our loops and oneDNN, and rounded in every format.
class GemmThreads : public OnEveryIsa {
 protected:
  static void expect_the_same_bits() {
    const int before = num_threads();
    struct Size {
      int64_t m, n, k;
    };
    for (const Size s : {Size{64, 128, 784}, Size{128, 90, 300}, Size{10, 500, 64}, Size{300, 700, 700}, Size{300, 400, 1200}}) {
      ASSERT_EQ(s.m * s.n * s.k > most_small_gemm(), s.m == 300);
      const auto a = normal(s.m * s.k, 1), b = normal(s.k * s.n, 2);
      for (const bool transpose : {false, true}) {
        std::vector<float> first;
        for (const int threads : {1, 2, 3}) {
          set_num_threads(threads);
          std::vector<float> y(static_cast<size_t>(s.m * s.n));
          gemm(transpose, !transpose, s.m, s.n, s.k, a.data(), b.data(), 0, y.data());
          if (first.empty()) first = y;
          EXPECT_EQ(y, first) << threads << " threads";
        }
      }
    }
    set_num_threads(before);
  }
};
TEST_F(GemmThreads, TheSameBitsForAnyNumber) { expect_the_same_bits(); }
TEST_F(GemmThreads, TheSameBitsForAnyNumberWhereOperandsAreRounded) {
  on_every_isa([] {
    if (!medium_precision_runs()) return;
    const WithMatmulPrecision medium(MatmulPrecision::medium);
    expect_the_same_bits();
  });
}

TEST(GemmOfNothing, IsZeroOrWhatWasThere) {
  float y[2] = {7, 7};
  gemm(false, false, 1, 2, 0, nullptr, nullptr, 1, y);
  EXPECT_EQ(y[0], 7);
  gemm(false, false, 1, 2, 0, nullptr, nullptr, 0, y);
  EXPECT_EQ(y[0], 0);
  EXPECT_EQ(y[1], 0);
}

}  // namespace
}  // namespace danlu::kernels
