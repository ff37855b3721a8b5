#include "danlu/base/float16.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace danlu {
namespace {

// What a binary16 stands for, from its definition: sign, exponent, fraction.
double value_of_f16(uint16_t bits) {
  const double sign = bits & 0x8000 ? -1 : 1;
  const int exponent = bits >> 10 & 0x1f, fraction = bits & 0x3ff;
  if (exponent == 0x1f) return fraction == 0 ? sign * std::numeric_limits<double>::infinity() : std::nan("");
  return exponent == 0 ? sign * std::ldexp(fraction, -24) : sign * std::ldexp(1024 + fraction, exponent - 25);
}

TEST(Float16, EveryF16HasItsValue) {
  for (uint32_t bits = 0; bits <= 0xffff; ++bits) {
    const double expected = value_of_f16(static_cast<uint16_t>(bits));
    const float got = f16_to_f32(static_cast<uint16_t>(bits));
    ASSERT_EQ(std::isnan(got), std::isnan(expected)) << bits;
    ASSERT_EQ(std::signbit(got), (bits & 0x8000) != 0) << bits;
    if (std::isnan(expected)) continue;
    ASSERT_EQ(static_cast<double>(got), expected) << bits;
  }
}

TEST(Float16, Bf16IsTheUpperHalfOfF32) {
  EXPECT_EQ(bf16_to_f32(0x3f80), 1.0f);
  EXPECT_EQ(bf16_to_f32(0xc049), -3.140625f);
  EXPECT_EQ(bf16_to_f32(0x0001), std::ldexp(1.0f, -133));
  EXPECT_EQ(bf16_to_f32(0x7f80), std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(bf16_to_f32(0x7fc0)));
}

TEST(Float16, EveryF16IsItsOwnNearest) {
  for (uint32_t bits = 0; bits <= 0xffff; ++bits) {
    const float value = f16_to_f32(static_cast<uint16_t>(bits));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(f16_to_f32(f32_to_f16(value))));
    } else {
      ASSERT_EQ(f32_to_f16(value), bits);
    }
  }
}

// Between any two neighbours: the middle goes to the even one, anything else to the nearer.
TEST(Float16, RoundsToTheNearest) {
  for (uint16_t bits = 0; bits < 0x7bff; ++bits) {
    const float low = f16_to_f32(bits), high = f16_to_f32(static_cast<uint16_t>(bits + 1)), middle = (low + high) / 2;
    const auto above = static_cast<uint16_t>(bits + 1), even = bits % 2 == 0 ? bits : above;
    ASSERT_EQ(f32_to_f16(middle), even);
    ASSERT_EQ(f32_to_f16(std::nextafter(middle, 0.0f)), bits);
    ASSERT_EQ(f32_to_f16(std::nextafter(middle, 1e6f)), above);
    ASSERT_EQ(f32_to_f16(-middle), even | 0x8000);
  }
  EXPECT_EQ(f32_to_f16(65519.99f), 0x7bff);
  EXPECT_EQ(f32_to_f16(65520.0f), 0x7c00);
  EXPECT_EQ(f32_to_f16(-INFINITY), 0xfc00);
}

TEST(Float16, Bf16RoundsToTheNearest) {
  EXPECT_EQ(f32_to_bf16(1.0f), 0x3f80);
  EXPECT_EQ(f32_to_bf16(std::ldexp(257.0f, -8)), 0x3f80);  // in the middle: the even one
  EXPECT_EQ(f32_to_bf16(std::ldexp(259.0f, -8)), 0x3f82);
  EXPECT_EQ(f32_to_bf16(std::nextafter(std::ldexp(257.0f, -8), 2.0f)), 0x3f81);
  EXPECT_EQ(f32_to_bf16(INFINITY), 0x7f80);
  EXPECT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(NAN))));
}

}  // namespace
}  // namespace danlu
