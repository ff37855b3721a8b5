// An image in memory, and the two changes of form that every image goes through before a model sees it.
#pragma once

#include <cstdint>
#include <vector>

namespace danlu::data {

// Row-major, channels interleaved (H, W, C), 8 bits a channel, sRGB as in the file. channels is 1 (gray) or 3 (RGB);
// pixels.size() == height * width * channels.
struct Image {
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 0;
  std::vector<uint8_t> pixels;
};

// Bilinear. When an axis shrinks, the triangle widens by the same ratio, so that every source pixel counts and fine
// patterns do not alias (what Pillow's BILINEAR and torchvision's antialias=True do). Sampling is at pixel centres.
// Throws DataError for an empty image or a size below 1.
Image resize(const Image& image, int64_t height, int64_t width);

// Gray to RGB repeats the channel; RGB to gray is the luma of ITU-R BT.601, 0.299 R + 0.587 G + 0.114 B.
// Throws DataError unless `channels` is 1 or 3.
Image convert_channels(const Image& image, int64_t channels);

}  // namespace danlu::data
