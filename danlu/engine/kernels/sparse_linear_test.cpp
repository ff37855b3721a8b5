#include "danlu/engine/kernels/sparse_linear.h"

#include <gtest/gtest.h>

#include <cmath>

#include "danlu/base/threads.h"
#include "danlu/engine/kernels/testing.h"

namespace danlu::kernels {
namespace {

class SparseLinear : public OnEveryIsa {};

// So many of a hundred weights, the others zero, with their mask.
struct Weights {
  std::vector<float> dense, values;
  std::vector<uint8_t> mask;
  Weights(int64_t n, int64_t k, int64_t percent) : dense(normal(n * k, 1)), mask(static_cast<size_t>(n * ((k + 7) / 8))) {
    Rng rng(2);
    for (int64_t i = 0; i < n * k; ++i) {
      if (rng.below(100) >= percent) {
        dense[static_cast<size_t>(i)] = 0;
        continue;
      }
      values.push_back(dense[static_cast<size_t>(i)]);
      mask[static_cast<size_t>(i / k * ((k + 7) / 8) + i % k / 8)] |= static_cast<uint8_t>(1 << (i % k % 8));
    }
  }
};

TEST_F(SparseLinear, EverySizeAndFilling) {
  on_every_isa([] {
    for (const int64_t m : {1, 3, 4, 17, 33, 70}) {
      for (const int64_t n : {1, 19}) {
        for (const int64_t k : {1, 61}) {
          for (const int64_t percent : {0, 30, 100}) {
            SCOPED_TRACE(testing::Message() << m << "x" << n << "x" << k << ", " << percent << " %");
            const Weights w(n, k, percent);
            const auto x = normal(m * k, 3), bias = normal(n, 4);
            const SparseRows rows = sparse_rows(n, k, w.mask, w.values);
            for (const bool with_bias : {false, true}) {
              for (const Activation activation : {Activation::none, Activation::relu}) {
                std::vector<float> y(static_cast<size_t>(m * n), NAN);
                sparse_linear(rows, x.data(), with_bias ? bias.data() : nullptr, y.data(), m, activation);
                for (int64_t i = 0; i < m * n; ++i) {
                  double expected = with_bias ? static_cast<double>(bias[static_cast<size_t>(i % n)]) : 0;
                  for (int64_t p = 0; p < k; ++p) {
                    expected += static_cast<double>(x[static_cast<size_t>(i / n * k + p)]) * static_cast<double>(w.dense[static_cast<size_t>(i % n * k + p)]);
                  }
                  ASSERT_NEAR(y[static_cast<size_t>(i)], activation == Activation::relu ? std::max(expected, 0.0) : expected, 1e-5 * std::sqrt(static_cast<double>(k + 1)));
                }
              }
            }
          }
        }
      }
    }
  });
}

TEST_F(SparseLinear, TheSameBitsForAnyNumberOfThreads) {
  const int before = num_threads();
  const Weights w(300, 500, 20);
  const SparseRows rows = sparse_rows(300, 500, w.mask, w.values);
  for (const int64_t m : {1, 100}) {
    const auto x = normal(m * 500, 5);
    std::vector<float> one(static_cast<size_t>(m * 300)), many(one.size());
    set_num_threads(1);
    sparse_linear(rows, x.data(), nullptr, one.data(), m, Activation::tanh);
    set_num_threads(3);
    sparse_linear(rows, x.data(), nullptr, many.data(), m, Activation::tanh);
    EXPECT_EQ(one, many);
  }
  set_num_threads(before);
}

}  // namespace
}  // namespace danlu::kernels
