#include "danlu/data/image/augment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "danlu/base/error.h"

namespace danlu::data {
namespace {

std::vector<uint8_t> ramp(const ImageShape& shape) {
  std::vector<uint8_t> pixels(static_cast<size_t>(shape.size()));
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i * 13 + 1);
  return pixels;
}

std::vector<uint8_t> vary(const std::vector<uint8_t>& in, const ImageShape& shape, const AugmentOptions& options,
                          int64_t epoch, int64_t index) {
  std::vector<uint8_t> out(in.size(), 77);
  augment(in.data(), out.data(), shape, options, 5, epoch, index);
  return out;
}

std::string as_key(const std::vector<uint8_t>& pixels) { return {pixels.begin(), pixels.end()}; }

// out(y, x) = in(y - dy, x - dx), mirrored first.
std::vector<uint8_t> moved(const std::vector<uint8_t>& in, const ImageShape& s, bool mirror, int64_t dy, int64_t dx,
                           uint8_t fill) {
  std::vector<uint8_t> out(in.size(), fill);
  for (int64_t y = 0; y < s.height; ++y) {
    for (int64_t x = 0; x < s.width; ++x) {
      const int64_t from_y = y - dy;
      int64_t from_x = x - dx;
      if (from_y < 0 || from_y >= s.height || from_x < 0 || from_x >= s.width) continue;
      if (mirror) from_x = s.width - 1 - from_x;
      for (int64_t c = 0; c < s.channels; ++c) {
        out[static_cast<size_t>((y * s.width + x) * s.channels + c)] =
            in[static_cast<size_t>((from_y * s.width + from_x) * s.channels + c)];
      }
    }
  }
  return out;
}

TEST(Augment, OffIsACopy) {
  const ImageShape shape{5, 4, 3};
  EXPECT_FALSE(AugmentOptions().enabled());
  EXPECT_EQ(vary(ramp(shape), shape, {}, 0, 0), ramp(shape));
}

TEST(Augment, DependsOnSeedEpochAndIndexAlone) {
  const ImageShape shape{12, 12, 1};
  const AugmentOptions options{
      .horizontal_flip = 0.5, .shift = 0.3, .zoom = 0.2, .rotation = 20, .erase = 0.5, .noise = 0.1};
  const auto first = vary(ramp(shape), shape, options, 3, 8);
  EXPECT_EQ(vary(ramp(shape), shape, options, 3, 8), first);
  EXPECT_NE(vary(ramp(shape), shape, options, 4, 8), first);
  EXPECT_NE(vary(ramp(shape), shape, options, 3, 9), first);
}

TEST(Augment, FlipAndMoveAreExact) {
  for (const ImageShape shape : {ImageShape{6, 5, 1}, ImageShape{4, 7, 3}, ImageShape{1, 1, 1}}) {
    const std::vector<uint8_t> in = ramp(shape);
    std::set<std::string> possible;
    for (int64_t dy = -2; dy <= 2; ++dy) {
      for (int64_t dx = -2; dx <= 2; ++dx) {
        for (const bool mirror : {false, true}) possible.insert(as_key(moved(in, shape, mirror, dy, dx, 51)));
      }
    }
    std::set<std::string> seen;
    for (int64_t index = 0; index < 800; ++index) {
      const std::string out =
          as_key(vary(in, shape, {.horizontal_flip = 0.5, .crop_padding = 2, .fill = 0.2}, 0, index));
      ASSERT_TRUE(possible.contains(out));
      seen.insert(out);
    }
    EXPECT_EQ(seen.size(), possible.size()) << "every variation occurs";
  }
}

TEST(Augment, FlipsAtTheRateAskedFor) {
  const ImageShape shape{1, 2, 1};
  int flips = 0;
  for (int64_t index = 0; index < 4000; ++index)
    flips += vary({1, 2}, shape, {.horizontal_flip = 0.3}, 0, index)[0] == 2;
  EXPECT_NEAR(flips, 1200, 100);
}

TEST(Augment, RotationTurnsAboutTheCentre) {
  // A turn keeps the centre, and a disk looks the same whatever the angle.
  const ImageShape shape{21, 21, 1};
  std::vector<uint8_t> disk(441);
  for (int y = 0; y < 21; ++y) {
    for (int x = 0; x < 21; ++x) disk[static_cast<size_t>(21 * y + x)] = std::hypot(x - 10, y - 10) < 7 ? 250 : 0;
  }
  const double mass = std::accumulate(disk.begin(), disk.end(), 0.0);
  for (int64_t index = 0; index < 20; ++index) {
    const auto out = vary(disk, shape, {.rotation = 180}, 0, index);
    EXPECT_EQ(out[220], 250);
    EXPECT_NEAR(std::accumulate(out.begin(), out.end(), 0.0), mass, 0.03 * mass);
    const auto zoomed = vary(disk, shape, {.zoom = 0.3}, 0, index);
    const double ratio = std::accumulate(zoomed.begin(), zoomed.end(), 0.0) / mass;
    EXPECT_GT(ratio, 0.45);
    EXPECT_LT(ratio, 1.75);
  }
}

TEST(Augment, EraseFillsOneBox) {
  const ImageShape shape{20, 20, 3};
  const std::vector<uint8_t> in(1200, 9);
  for (int64_t index = 0; index < 50; ++index) {
    const auto out = vary(in, shape, {.erase = 1, .erase_area = 0.25, .fill = 1}, 0, index);
    const auto erased = std::count(out.begin(), out.end(), 255);
    EXPECT_GE(erased, 3);
    EXPECT_LE(erased, 360);
    EXPECT_EQ(erased + std::count(out.begin(), out.end(), 9), 1200);
  }
}

TEST(Augment, NoiseHasTheDeviationAskedFor) {
  const ImageShape shape{100, 100, 1};
  const std::vector<float> in(10000, 0.5f);
  std::vector<float> out(10000);
  augment(in.data(), out.data(), shape, {.noise = 0.1}, 1, 0, 0);
  double sum = 0, squares = 0;
  for (const float v : out) sum += v - 0.5, squares += (v - 0.5) * (v - 0.5);
  EXPECT_NEAR(sum / 10000, 0, 0.004);
  EXPECT_NEAR(std::sqrt(squares / 10000), 0.1, 0.003);
}

TEST(Augment, FloatsAndBytesAgree) {
  const ImageShape shape{9, 8, 3};
  const std::vector<uint8_t> bytes = ramp(shape);
  std::vector<float> floats(bytes.begin(), bytes.end());
  for (float& v : floats) v /= 255;
  const AugmentOptions options{
      .horizontal_flip = 0.5, .shift = 0.2, .zoom = 0.2, .rotation = 30, .erase = 0.5, .fill = 0.4};
  for (int64_t index = 0; index < 30; ++index) {
    std::vector<float> out(floats.size());
    augment(floats.data(), out.data(), shape, options, 5, 0, index);
    const auto expected = vary(bytes, shape, options, 0, index);
    for (size_t i = 0; i < out.size(); ++i) EXPECT_NEAR(out[i] * 255, expected[i], 0.51);
  }
}

TEST(Augment, OptionsAreChecked) {
  AugmentOptions options;
  EXPECT_THROW(read_options(Json{{"horizontal_flip", 1.5}}, options), ConfigError);
  EXPECT_THROW(read_options(Json{{"flip", 0.5}}, options), ConfigError);
  read_options(Json{{"rotation", 10}}, options);
  EXPECT_TRUE(options.enabled());
}

}  // namespace
}  // namespace danlu::data
