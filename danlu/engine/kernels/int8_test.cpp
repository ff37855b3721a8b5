#include "danlu/engine/kernels/int8.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "danlu/base/rng.h"
#include "danlu/base/threads.h"
#include "danlu/engine/kernels/pool.h"
#include "danlu/engine/kernels/testing.h"

namespace danlu::kernels {
namespace {

class Int8 : public OnEveryIsa {};

std::vector<uint8_t> bytes(int64_t n, uint64_t seed) {
  Rng rng(seed);
  std::vector<uint8_t> q(static_cast<size_t>(n));
  for (uint8_t& v : q) v = static_cast<uint8_t>(rng.below(256));
  return q;
}

// No -128: quantize() makes none.
std::vector<int8_t> weights(int64_t n, uint64_t seed) {
  Rng rng(seed);
  std::vector<int8_t> w(static_cast<size_t>(n));
  for (int8_t& v : w) v = static_cast<int8_t>(rng.below(255) - 127);
  return w;
}

double number(uint8_t byte, const Int8Format& format) {
  return static_cast<double>(format.scale) * (format.is_signed ? static_cast<int8_t>(byte) : byte);
}

TEST_F(Int8, QuantizeRoundsToTheNearestAndCutsOff) {
  on_every_isa([] {
    const std::vector<float> x = {0, 0.24f, 0.26f, -0.26f, 0.75f, 1.25f, 1e9f, -1e9f, INFINITY, -INFINITY, 63.5f, -63.5f, 127.5f, 127.4f, 100, -64, -0.2f};
    std::vector<int8_t> q(x.size());
    quantize(x.data(), q.data(), std::ssize(x), {.scale = 0.5f, .is_signed = true});
    EXPECT_EQ(q, (std::vector<int8_t>{0, 0, 1, -1, 2, 2, 127, -127, 127, -127, 127, -127, 127, 127, 127, -127, 0}));
    std::vector<uint8_t> u(x.size());
    quantize(x.data(), u.data(), std::ssize(x), {.scale = 0.5f, .is_signed = false});
    EXPECT_EQ(u, (std::vector<uint8_t>{0, 0, 1, 0, 2, 2, 255, 0, 255, 0, 127, 0, 255, 255, 200, 0, 0}));
    const float nan = NAN;
    quantize(&nan, u.data(), 1, {.scale = 1, .is_signed = false});
    EXPECT_TRUE(u[0] == 0 || u[0] == 255) << "some number, without a trap";
  });
}

// Where a result may lie between two integers, both are right.
void expect_close(const void* got, const std::optional<Int8Format>& format, size_t i, double expected) {
  if (!format) {
    ASSERT_NEAR(static_cast<const float*>(got)[i], expected, 1e-5 * std::max(1.0, std::abs(expected))) << i;
    return;
  }
  const double bounded = std::clamp(expected / static_cast<double>(format->scale), format->is_signed ? -128.0 : 0.0, format->is_signed ? 127.0 : 255.0);
  const uint8_t byte = static_cast<const uint8_t*>(got)[i];
  ASSERT_NEAR(format->is_signed ? static_cast<int8_t>(byte) : byte, bounded, 0.5 + 1e-3) << i;
}

double activated(Int8Activation activation, double x) {
  return activation == Int8Activation::none ? x : activation == Int8Activation::relu ? std::max(x, 0.0) : 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
}

const std::optional<Int8Format> kResults[] = {std::nullopt, Int8Format{.scale = 3.7f, .is_signed = false}, Int8Format{.scale = 7.3f, .is_signed = true}};

TEST_F(Int8, LinearOfEverySize) {
  on_every_isa([] {
    for (const bool is_signed : {false, true}) {
      const Int8Format input{.scale = 0.02f, .is_signed = is_signed};
      for (const int64_t m : {1, 17, 71}) {
        for (const int64_t n : {1, 33}) {
          for (const int64_t k : {1, 7, 273}) {
            SCOPED_TRACE(testing::Message() << m << "x" << n << "x" << k << (is_signed ? " signed" : ""));
            const auto x = bytes(m * k, 1);
            const auto w = weights(n * k, 2);
            const auto bias = normal(n, 3);
            std::vector<float> scales(static_cast<size_t>(n));
            for (size_t j = 0; j < scales.size(); ++j) scales[j] = 0.01f + 0.001f * static_cast<float>(j);
            for (const bool with_bias : {false, true}) {
              const Int8Product product(w.data(), scales, with_bias ? bias.data() : nullptr, k, input);
              for (const auto activation : {Int8Activation::none, Int8Activation::relu, Int8Activation::gelu}) {
                for (const auto& format : kResults) {
                  std::vector<float> y(static_cast<size_t>(m * n), NAN);
                  product.linear(x.data(), m, activation, {y.data(), format});
                  for (int64_t i = 0; i < m * n; ++i) {
                    double sum = 0;
                    for (int64_t p = 0; p < k; ++p) sum += number(x[static_cast<size_t>(i / n * k + p)], input) * w[static_cast<size_t>(i % n * k + p)];
                    sum = sum * static_cast<double>(scales[static_cast<size_t>(i % n)]) + (with_bias ? static_cast<double>(bias[static_cast<size_t>(i % n)]) : 0);
                    ASSERT_NO_FATAL_FAILURE(expect_close(y.data(), format, static_cast<size_t>(i), activated(activation, sum)));
                  }
                }
              }
            }
          }
        }
      }
    }
  });
}

TEST_F(Int8, SumsOfTheLargestNumbersDoNotOverflow) {
  on_every_isa([] {
    constexpr int64_t kInputs = 5000;
    const std::vector<uint8_t> x(kInputs, 255);
    const std::vector<int8_t> w(kInputs, 127);
    const float scale = 1;
    const Int8Product product(w.data(), {&scale, 1}, nullptr, kInputs, {.scale = 1, .is_signed = false});
    float y = 0;
    product.linear(x.data(), 1, Int8Activation::none, {&y});
    EXPECT_NEAR(y / (255.0 * 127 * kInputs), 1, 1e-4) << "where they are multiplied as f32, their sums are rounded";
  });
}

TEST_F(Int8, ConvolutionsOfManyShapes) {
  on_every_isa([] {
    const std::vector<Conv2dShape> shapes = {
        {.batch = 2, .height = 9, .width = 7, .channels = 3, .filters = 5, .kernel_h = 3, .kernel_w = 3, .padding_h = 1, .padding_w = 1},
        {.batch = 1, .height = 8, .width = 8, .channels = 16, .filters = 32, .kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .padding_h = 1, .padding_w = 1},
        {.batch = 3, .height = 6, .width = 5, .channels = 1, .filters = 8, .kernel_h = 2, .kernel_w = 3},
        {.batch = 1, .height = 7, .width = 7, .channels = 8, .filters = 4, .kernel_h = 3, .kernel_w = 3, .dilation_h = 2, .dilation_w = 2, .groups = 2}};
    for (const Conv2dShape& s : shapes) {
      for (const bool is_signed : {false, true}) {
        SCOPED_TRACE(testing::Message() << s.channels << " channels" << (is_signed ? ", signed" : ""));
        const Int8Format input{.scale = 0.05f, .is_signed = is_signed};
        const int64_t group = s.channels / s.groups, taps = group * s.kernel_h * s.kernel_w;
        const auto x = bytes(s.batch * s.height * s.width * s.channels, 4);
        const auto w = weights(s.filters * taps, 5);
        const auto bias = normal(s.filters, 6);
        std::vector<float> scales(static_cast<size_t>(s.filters), 0.02f);
        scales[0] = 0.5f;
        const Int8Product product(w.data(), scales, bias.data(), s, input);
        for (const auto& format : kResults) {
          std::vector<float> y(static_cast<size_t>(s.batch * s.out_height() * s.out_width() * s.filters), NAN);
          product.conv2d(s, x.data(), Int8Activation::relu, {y.data(), format});
          size_t at = 0;
          for (int64_t b = 0; b < s.batch; ++b) {
            for (int64_t i = 0; i < s.out_height(); ++i) {
              for (int64_t j = 0; j < s.out_width(); ++j) {
                for (int64_t f = 0; f < s.filters; ++f, ++at) {
                  double sum = 0;
                  for (int64_t c = 0; c < group; ++c) {
                    for (int64_t u = 0; u < s.kernel_h; ++u) {
                      for (int64_t v = 0; v < s.kernel_w; ++v) {
                        const int64_t row = i * s.stride_h - s.padding_h + u * s.dilation_h, column = j * s.stride_w - s.padding_w + v * s.dilation_w;
                        if (row < 0 || row >= s.height || column < 0 || column >= s.width) continue;
                        const int64_t channel = f / (s.filters / s.groups) * group + c;
                        sum += number(x[static_cast<size_t>(((b * s.height + row) * s.width + column) * s.channels + channel)], input) *
                               w[static_cast<size_t>(f * taps + (c * s.kernel_h + u) * s.kernel_w + v)];
                      }
                    }
                  }
                  sum = sum * static_cast<double>(scales[static_cast<size_t>(f)]) + static_cast<double>(bias[static_cast<size_t>(f)]);
                  ASSERT_NO_FATAL_FAILURE(expect_close(y.data(), format, at, std::max(sum, 0.0)));
                }
              }
            }
          }
        }
      }
    }
  });
}

TEST_F(Int8, PoolingTakesTheLargest) {
  on_every_isa([] {
    for (const int64_t channels : {3, 16, 85}) {
      const Pool2dShape s{.batch = 2, .height = 5, .width = 4, .channels = channels, .kernel_h = 3, .kernel_w = 2, .stride_h = 2, .stride_w = 1, .padding_h = 1, .padding_w = 1};
      const auto x = bytes(2 * 5 * 4 * channels, 7);
      std::vector<float> real(x.begin(), x.end()), expected(static_cast<size_t>(2 * s.out_height() * s.out_width() * channels));
      max_pool2d(s, real.data(), expected.data(), nullptr);
      std::vector<uint8_t> y(expected.size());
      max_pool2d_u8(s, x.data(), y.data());
      EXPECT_EQ(std::vector<float>(y.begin(), y.end()), expected) << channels;
    }
  });
}

TEST_F(Int8, TheSameBitsForAnyNumberOfThreads) {
  const int before = num_threads();
  const auto x = bytes(64 * 300, 8);
  const auto w = weights(50 * 300, 9);
  const std::vector<float> scales(50, 0.01f);
  const Int8Product product(w.data(), scales, nullptr, 300, {.scale = 0.1f, .is_signed = true});
  std::vector<float> one(64 * 50), many(64 * 50);
  set_num_threads(1);
  product.linear(x.data(), 64, Int8Activation::none, {one.data()});
  set_num_threads(3);
  product.linear(x.data(), 64, Int8Activation::none, {many.data()});
  set_num_threads(before);
  EXPECT_EQ(one, many);
}

}  // namespace
}  // namespace danlu::kernels
