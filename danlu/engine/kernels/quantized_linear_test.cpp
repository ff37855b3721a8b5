#include "danlu/engine/kernels/quantized_linear.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "danlu/base/float16.h"
#include "danlu/base/rng.h"
#include "danlu/base/threads.h"
#include "danlu/engine/kernels/packed_weight.h"
#include "danlu/engine/kernels/quantized_rows.h"
#include "danlu/engine/kernels/testing.h"

namespace danlu::kernels {
namespace {

// Random codes and scales, and the weights that they stand for.
struct Weights {
  std::vector<uint8_t> data;
  PackedWeight packed;
  std::vector<float> values;

  Weights(WeightFormat format, int64_t rows, int64_t columns, uint64_t seed) : packed{format, rows, columns, nullptr} {
    data.resize(static_cast<size_t>(packed.bytes()));
    Rng rng(seed);
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t group = 0; group * kGroup < columns; ++group) {
        uint8_t codes[kGroup];
        for (uint8_t& code : codes) code = static_cast<uint8_t>(rng.uniform() * static_cast<float>(2 * zero_code(format)));
        put_group(packed, data.data(), row, group, codes, f32_to_f16(0.01f * (1 + rng.uniform())));
      }
    }
    packed.data = data.data();
    values.resize(static_cast<size_t>(rows * columns));
    for (int64_t row = 0; row < rows; ++row) unpack_row(packed, row, values.data() + row * columns);
  }
};

// x as the kernel sees it: each group rounded to 8 bits.
std::vector<float> rounded(const std::vector<float>& x, int64_t m, int64_t k) {
  std::vector<float> y = x;
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t p = 0; p < k; p += kGroup) {
      const auto begin = y.begin() + i * k + p, end = y.begin() + i * k + std::min(p + kGroup, k);
      float most = 0;
      for (auto v = begin; v != end; ++v) most = std::max(most, std::abs(*v));
      const float scale = most / 127;
      for (auto v = begin; v != end && scale > 0; ++v) *v = scale * std::nearbyint(*v * (1 / scale));
    }
  }
  return y;
}

class QuantizedLinear : public OnEveryIsa {};

TEST_F(QuantizedLinear, EverySize) {
  for (const auto format : {WeightFormat::q8, WeightFormat::q4}) {
    for (const int64_t n : {1, 7, 16, 33}) {
      for (const int64_t k : {1, 31, 64, 65, 224}) {
        const Weights w(format, n, k, 7);
        const auto bias = normal(n, 3);
        for (const int64_t m : {1, 2, 3, 11, 12, 29}) {
          SCOPED_TRACE(testing::Message() << m << "x" << n << "x" << k << (format == WeightFormat::q8 ? " q8" : " q4"));
          const auto x = normal(m * k, 1), seen = rounded(x, m, k);
          on_every_isa([&] {
            for (const bool with_bias : {false, true}) {
              std::vector<float> y(static_cast<size_t>(m * n), NAN);
              quantized_linear(x.data(), w.packed, with_bias ? bias.data() : nullptr, y.data(), m);
              for (int64_t i = 0; i < m * n; ++i) {
                double expected = with_bias ? static_cast<double>(bias[static_cast<size_t>(i % n)]) : 0;
                for (int64_t p = 0; p < k; ++p) {
                  expected += static_cast<double>(seen[static_cast<size_t>(i / n * k + p)]) * static_cast<double>(w.values[static_cast<size_t>(i % n * k + p)]);
                }
                ASSERT_NEAR(y[static_cast<size_t>(i)], expected, 1e-4 + 1e-4 * std::abs(expected));
              }
            }
          });
        }
      }
    }
  }
}

TEST_F(QuantizedLinear, ARowIsTheSameInAnyBatchForAnyNumberOfThreads) {
  constexpr int64_t kRows = 300, n = 100, k = 1000;
  const Weights w(WeightFormat::q4, n, k, 8);
  const auto x = normal(kRows * k, 4);
  const int before = num_threads();
  on_every_isa([&] {
    std::vector<float> alone(static_cast<size_t>(kRows * n));
    for (int64_t i = 0; i < kRows; ++i) quantized_linear(x.data() + i * k, w.packed, nullptr, alone.data() + i * n, 1);
    for (const int64_t m : {2, 7, 12, 17, 300}) {
      for (const int threads : {1, 3}) {
        set_num_threads(threads);
        std::vector<float> y(static_cast<size_t>(m * n));
        quantized_linear(x.data(), w.packed, nullptr, y.data(), m);
        for (size_t i = 0; i < y.size(); ++i) ASSERT_EQ(y[i], alone[i]) << m << " rows, element " << i;
      }
    }
    set_num_threads(before);
  });
}

TEST_F(QuantizedLinear, WhatIsNotFiniteIsNotLost) {
  constexpr int64_t n = 20, k = 100;
  const Weights w(WeightFormat::q8, n, k, 9);
  on_every_isa([&] {
    for (const float bad : {NAN, INFINITY, -INFINITY}) {
      auto x = normal(3 * k, 4);
      x[static_cast<size_t>(k + 40)] = bad;
      std::vector<float> y(3 * n);
      quantized_linear(x.data(), w.packed, nullptr, y.data(), 3);
      for (size_t i = 0; i < y.size(); ++i) EXPECT_EQ(std::isnan(y[i]), i / n == 1) << i;
    }
    const std::vector<float> tiny(static_cast<size_t>(k), 1e-40f);
    std::vector<float> y(n, NAN);
    quantized_linear(tiny.data(), w.packed, nullptr, y.data(), 1);
    for (const float v : y) EXPECT_EQ(v, 0);
  });
}

}  // namespace
}  // namespace danlu::kernels
