#include "danlu/engine/kernels/linear_rows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "danlu/base/rng.h"
#include "danlu/base/threads.h"
#include "danlu/engine/kernels/batch_invariant.h"
#include "danlu/engine/kernels/gemm.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/testing.h"

namespace danlu::kernels {
namespace {

class LinearRows : public OnEveryIsa {};

TEST_F(LinearRows, EverySize) {
  on_every_isa([] {
    for (const int64_t m : {1, 2, 3, 5, 6, 7, 13}) {
      for (const int64_t n : {1, 3, 4, 6, 21}) {
        for (const int64_t k : {0, 1, 5, 16, 17, 47, 130}) {
          SCOPED_TRACE(testing::Message() << m << "x" << n << "x" << k);
          const auto x = normal(m * k, 1), w = normal(n * k, 2), bias = normal(n, 3);
          for (const bool with_bias : {false, true}) {
            std::vector<float> y(static_cast<size_t>(m * n), NAN);
            linear_rows(x.data(), w.data(), with_bias ? bias.data() : nullptr, y.data(), m, n, k);
            for (int64_t i = 0; i < m * n; ++i) {
              double expected = with_bias ? static_cast<double>(bias[static_cast<size_t>(i % n)]) : 0;
              for (int64_t p = 0; p < k; ++p) {
                expected += static_cast<double>(x[static_cast<size_t>(i / n * k + p)]) * static_cast<double>(w[static_cast<size_t>(i % n * k + p)]);
              }
              ASSERT_NEAR(y[static_cast<size_t>(i)], expected, 1e-5 * std::sqrt(static_cast<double>(k + 1)));
            }
          }
        }
      }
    }
  });
}

// Sizes on both sides of where a product without the guard goes to oneDNN.
TEST_F(LinearRows, ARowIsTheSameInAnyBatch) {
  on_every_isa([] {
    for (const auto rows : {BatchInvariant::Rows::few, BatchInvariant::Rows::many}) {
      const BatchInvariant guard(rows);
      for (const auto& [n, k] : {std::pair<int64_t, int64_t>{50, 37}, {997, 1001}}) {
        constexpr int64_t kRows = 68;
        const auto x = normal(kRows * k, 4), w = normal(n * k, 5), bias = normal(n, 6);
        std::vector<float> alone(static_cast<size_t>(kRows * n));
        for (int64_t i = 0; i < kRows; ++i) linear_forward(x.data() + i * k, w.data(), bias.data(), alone.data() + i * n, 1, n, k, Activation::none);
        for (const int64_t m : {2, 7, 8, 68}) {
          std::vector<float> y(static_cast<size_t>(m * n));
          linear_forward(x.data(), w.data(), bias.data(), y.data(), m, n, k, Activation::none);
          for (size_t i = 0; i < y.size(); ++i) ASSERT_EQ(y[i], alone[i]) << m << " rows, element " << i;
        }
      }
    }
  });
}

TEST(BatchInvariant, EndsWithItsScope) {
  EXPECT_FALSE(BatchInvariant::active());
  {
    const BatchInvariant outer(BatchInvariant::Rows::many);
    {
      const BatchInvariant inner(BatchInvariant::Rows::few);
      EXPECT_EQ(BatchInvariant::active(), BatchInvariant::Rows::few);
    }
    EXPECT_EQ(BatchInvariant::active(), BatchInvariant::Rows::many);
  }
  EXPECT_FALSE(BatchInvariant::active());
}

}  // namespace
}  // namespace danlu::kernels
