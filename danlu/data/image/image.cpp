#include "danlu/data/image/image.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.image";

// One axis of a separable filter: output i is the sum over k in [0, count[i]) of
// weights[i * taps + k] * input[first[i] + k].
struct Filter {
  int64_t taps = 0;
  std::vector<int64_t> first, count;
  std::vector<float> weights;
};

Filter triangle_filter(int64_t in, int64_t out) {
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double support = std::max(scale, 1.0);
  Filter filter;
  filter.taps = static_cast<int64_t>(std::ceil(support)) * 2 + 1;
  filter.weights.resize(static_cast<size_t>(out * filter.taps));
  for (int64_t i = 0; i < out; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const int64_t first = std::max<int64_t>(0, std::llround(center - support));
    const int64_t last = std::min<int64_t>(in, std::llround(center + support));
    float* weights = filter.weights.data() + i * filter.taps;
    double sum = 0;
    for (int64_t j = first; j < last; ++j) {
      const double distance = std::abs(static_cast<double>(j) + 0.5 - center) / support;
      const double weight = std::max(0.0, 1.0 - distance);
      weights[j - first] = static_cast<float>(weight);
      sum += weight;
    }
    for (int64_t k = 0; k < last - first; ++k) weights[k] /= static_cast<float>(sum);
    filter.first.push_back(first);
    filter.count.push_back(last - first);
  }
  return filter;
}

// Truncated after adding a half: values are not negative.
uint8_t to_u8(float value) {
  const float half_up = std::clamp(value, 0.0f, 255.0f) + 0.5f;
  return static_cast<uint8_t>(half_up);
}

void check(const Image& image) {
  const bool sizes = image.height > 0 && image.width > 0 && (image.channels == 1 || image.channels == 3);
  if (!sizes || static_cast<int64_t>(image.pixels.size()) != image.height * image.width * image.channels) {
    throw DataError(kWhere,
                    fmt::format("got an image of {} x {} x {} with {} bytes; expected height * width * channels bytes, "
                                "1 or 3 channels",
                                image.height, image.width, image.channels, image.pixels.size()));
  }
}

}  // namespace

Image resize(const Image& image, int64_t height, int64_t width) {
  check(image);
  if (height < 1 || width < 1)
    throw DataError(kWhere, fmt::format("got a new size of {} x {}; expected at least 1 x 1", height, width));
  if (height == image.height && width == image.width) return image;
  const int64_t channels = image.channels;

  // Rows first, into (image.height, width, C) floats; then columns.
  const Filter across = triangle_filter(image.width, width);
  std::vector<float> wide(static_cast<size_t>(image.height * width * channels));
  for (int64_t y = 0; y < image.height; ++y) {
    const uint8_t* row = image.pixels.data() + y * image.width * channels;
    float* out = wide.data() + y * width * channels;
    for (int64_t x = 0; x < width; ++x) {
      const float* weights = across.weights.data() + x * across.taps;
      const uint8_t* in = row + across.first[static_cast<size_t>(x)] * channels;
      for (int64_t k = 0; k < across.count[static_cast<size_t>(x)]; ++k) {
        for (int64_t c = 0; c < channels; ++c)
          out[x * channels + c] += weights[k] * static_cast<float>(in[k * channels + c]);
      }
    }
  }

  const Filter down = triangle_filter(image.height, height);
  Image result{height, width, channels, std::vector<uint8_t>(static_cast<size_t>(height * width * channels))};
  const int64_t row_size = width * channels;
  std::vector<float> sum(static_cast<size_t>(row_size));
  for (int64_t y = 0; y < height; ++y) {
    std::fill(sum.begin(), sum.end(), 0.0f);
    for (int64_t k = 0; k < down.count[static_cast<size_t>(y)]; ++k) {
      const float weight = down.weights[static_cast<size_t>(y * down.taps + k)];
      const float* in = wide.data() + (down.first[static_cast<size_t>(y)] + k) * row_size;
      for (int64_t i = 0; i < row_size; ++i) sum[static_cast<size_t>(i)] += weight * in[i];
    }
    std::transform(sum.begin(), sum.end(), result.pixels.begin() + y * row_size, to_u8);
  }
  return result;
}

Image convert_channels(const Image& image, int64_t channels) {
  check(image);
  if (channels != 1 && channels != 3)
    throw DataError(kWhere, fmt::format("got {} channels; expected 1 (gray) or 3 (RGB)", channels));
  if (channels == image.channels) return image;
  const auto count = static_cast<size_t>(image.height * image.width);
  Image result{image.height, image.width, channels, std::vector<uint8_t>(count * static_cast<size_t>(channels))};
  const uint8_t* in = image.pixels.data();
  uint8_t* out = result.pixels.data();
  if (channels == 3) {
    for (size_t i = 0; i < count; ++i) out[3 * i] = out[3 * i + 1] = out[3 * i + 2] = in[i];
  } else {
    // 16-bit fixed point; the weights add up to 65536, so white stays white.
    for (size_t i = 0; i < count; ++i) {
      out[i] =
          static_cast<uint8_t>((19595u * in[3 * i] + 38470u * in[3 * i + 1] + 7471u * in[3 * i + 2] + 32768u) >> 16);
    }
  }
  return result;
}

}  // namespace danlu::data
