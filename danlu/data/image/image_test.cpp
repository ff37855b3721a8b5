#include "danlu/data/image/image.h"

#include <gtest/gtest.h>

#include "danlu/base/error.h"

namespace danlu::data {
namespace {

TEST(Image, ResizeKeepsAConstantImage) {
  const Image image{7, 5, 3, std::vector<uint8_t>(105, 200)};
  for (const int64_t size : {1, 2, 3, 11, 40}) {
    const Image result = resize(image, size, 2 * size);
    EXPECT_EQ(result.pixels, std::vector<uint8_t>(static_cast<size_t>(6 * size * size), 200));
  }
}

TEST(Image, EnlargingInterpolatesBetweenPixelCentres) {
  const Image result = resize({1, 2, 1, {0, 100}}, 1, 4);
  EXPECT_EQ(result.pixels, (std::vector<uint8_t>{0, 25, 75, 100}));
}

TEST(Image, ShrinkingCountsEveryPixel) {
  // A fine checkerboard must become gray, not the black or the white of single samples.
  Image board{16, 16, 1, {}};
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 16; ++x) board.pixels.push_back((x + y) % 2 == 0 ? 255 : 0);
  }
  for (const uint8_t pixel : resize(board, 4, 4).pixels) EXPECT_NEAR(pixel, 128, 6);
}

// The values that Pillow 13 gives for the same call.
TEST(Image, AgreesWithPillow) {
  Image ramp{8, 8, 1, {}};
  for (int i = 0; i < 64; ++i) ramp.pixels.push_back(static_cast<uint8_t>(i * i % 251));
  const std::vector<uint8_t> expected{40, 71, 97, 128, 138, 72, 128, 130, 117, 136, 117, 147, 140, 111, 118};
  const Image result = resize(ramp, 3, 5);
  ASSERT_EQ(result.pixels.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(result.pixels[i], expected[i], 1) << i;
}

TEST(Image, Channels) {
  const Image color = convert_channels({1, 2, 1, {7, 250}}, 3);
  EXPECT_EQ(color.pixels, (std::vector<uint8_t>{7, 7, 7, 250, 250, 250}));
  EXPECT_EQ(convert_channels(color, 1).pixels, (std::vector<uint8_t>{7, 250}));
  EXPECT_EQ(convert_channels({1, 3, 3, {255, 0, 0, 0, 255, 0, 0, 0, 255}}, 1).pixels,
            (std::vector<uint8_t>{76, 150, 29}));
  EXPECT_EQ(convert_channels({1, 1, 3, {255, 255, 255}}, 1).pixels, (std::vector<uint8_t>{255}));
}

TEST(Image, Misuse) {
  EXPECT_THROW(resize({}, 2, 2), DataError);
  EXPECT_THROW(resize({2, 2, 1, {1, 2, 3}}, 2, 2), DataError);
  EXPECT_THROW(resize({1, 1, 1, {1}}, 0, 2), DataError);
  EXPECT_THROW(convert_channels({1, 1, 1, {1}}, 4), DataError);
}

}  // namespace
}  // namespace danlu::data
