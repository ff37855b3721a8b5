#include "danlu/data/image/augment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <type_traits>
#include <vector>

#include "danlu/data/dataset/epoch_rng.h"

namespace danlu::data {
namespace {

// The variation drawn for one sample.
struct Variation {
  bool mirror = false;
  int64_t dy = 0, dx = 0;                            // the image moves down and right by whole pixels
  float angle = 0, zoom = 1;                         // radians; above 1 the image grows
  int64_t top = 0, left = 0, bottom = 0, right = 0;  // the erased box; empty if bottom == top

  bool moves_only() const { return angle == 0 && zoom == 1; }
};

float uniform(Rng& rng, double low, double high) { return static_cast<float>(low + (high - low) * rng.uniform()); }

int64_t offset(Rng& rng, int64_t limit) { return limit > 0 ? rng.below(2 * limit + 1) - limit : 0; }

// A box of 2 % to max_area of the image, with sides of ratio 0.3 to 3.3.
// Source: Zhong, Zheng, Kang, Li, Yang 2017, "Random erasing data augmentation", arXiv:1708.04896.
void draw_box(Rng& rng, const ImageShape& shape, double max_area, Variation& v) {
  const double area =
      uniform(rng, std::min(0.02, max_area), max_area) * static_cast<double>(shape.height * shape.width);
  const double ratio = std::exp(uniform(rng, std::log(0.3), std::log(3.3)));
  const int64_t height = std::clamp<int64_t>(std::llround(std::sqrt(area * ratio)), 1, shape.height);
  const int64_t width = std::clamp<int64_t>(std::llround(std::sqrt(area / ratio)), 1, shape.width);
  v.top = rng.below(shape.height - height + 1);
  v.left = rng.below(shape.width - width + 1);
  v.bottom = v.top + height;
  v.right = v.left + width;
}

// Draws only for what is switched on.
Variation draw(const AugmentOptions& o, const ImageShape& shape, Rng& rng) {
  Variation v;
  if (o.horizontal_flip > 0) v.mirror = rng.uniform() < o.horizontal_flip;
  if (o.shift > 0) {
    v.dy = offset(rng, std::llround(o.shift * static_cast<double>(shape.height)));
    v.dx = offset(rng, std::llround(o.shift * static_cast<double>(shape.width)));
  }
  if (o.crop_padding > 0) {
    v.dy += offset(rng, o.crop_padding);
    v.dx += offset(rng, o.crop_padding);
  }
  if (o.zoom > 0) v.zoom = uniform(rng, 1 - o.zoom, 1 + o.zoom);
  if (o.rotation > 0) v.angle = uniform(rng, -o.rotation, o.rotation) * static_cast<float>(std::numbers::pi / 180);
  if (o.erase > 0 && rng.uniform() < o.erase) draw_box(rng, shape, o.erase_area, v);
  return v;
}

template <class T>
T from_unit(double value) {
  if constexpr (std::is_same_v<T, float>) return static_cast<float>(value);
  return static_cast<T>(std::lround(value * 255));
}

template <class T>
T round_to(float value) {
  if constexpr (std::is_same_v<T, float>) return value;
  const float half_up = std::min(std::max(value, 0.0f), 255.0f) + 0.5f;
  return static_cast<T>(static_cast<int32_t>(half_up));
}

// Whole pixels: each row is a run of the source, forwards or mirrored, between two runs of fill.
template <class T>
void move(const T* in, T* out, const ImageShape& s, const Variation& v, T fill) {
  const int64_t row = s.width * s.channels;
  const int64_t first = std::clamp<int64_t>(v.dx, 0, s.width), last = std::clamp<int64_t>(s.width + v.dx, 0, s.width);
  for (int64_t y = 0; y < s.height; ++y, out += row) {
    const int64_t from = y - v.dy;
    if (from < 0 || from >= s.height || first >= last) {
      std::fill_n(out, row, fill);
      continue;
    }
    const T* source = in + from * row;
    std::fill_n(out, first * s.channels, fill);
    if (!v.mirror) {
      std::copy_n(source + (first - v.dx) * s.channels, (last - first) * s.channels, out + first * s.channels);
    } else if (s.channels == 1) {
      std::reverse_copy(source + s.width - (last - v.dx), source + s.width - (first - v.dx), out + first);
    } else {
      for (int64_t x = first; x < last; ++x) {
        std::copy_n(source + (s.width - 1 - (x - v.dx)) * s.channels, s.channels, out + x * s.channels);
      }
    }
    std::fill_n(out + last * s.channels, (s.width - last) * s.channels, fill);
  }
}

// std::floor as an integer, without the library call that it is on the oldest processors. |v| < 2^31.
int32_t floor_to_int(float v) {
  const auto truncated = static_cast<int32_t>(v);
  return truncated - (v < static_cast<float>(truncated) ? 1 : 0);
}

// Rotation and scale about the centre, then the shift: each output pixel is looked up in the source, bilinearly.
template <class T>
void warp(const T* in, T* __restrict out, const ImageShape& s, const Variation& v, T fill) {
  const auto height = static_cast<int32_t>(s.height), width = static_cast<int32_t>(s.width);
  const auto channels = static_cast<int32_t>(s.channels);
  const float center_y = static_cast<float>(height - 1) / 2, center_x = static_cast<float>(width - 1) / 2;
  const float cosine = std::cos(v.angle) / v.zoom, sine = std::sin(v.angle) / v.zoom;
  const std::vector<T> outside(static_cast<size_t>(channels), fill);
  const auto pixel = [&](int32_t y, int32_t x) {
    const bool inside = y >= 0 && y < height && x >= 0 && x < width;
    return inside ? in + (static_cast<int64_t>(y) * width + x) * channels : outside.data();
  };
  for (int32_t y = 0; y < height; ++y) {
    const float dy = static_cast<float>(y - v.dy) - center_y;
    for (int32_t x = 0; x < width; ++x) {
      const float dx = static_cast<float>(x - v.dx) - center_x;
      const float source_y = center_y + cosine * dy - sine * dx;
      float source_x = center_x + sine * dy + cosine * dx;
      if (v.mirror) source_x = static_cast<float>(width - 1) - source_x;
      const int32_t y0 = floor_to_int(source_y), x0 = floor_to_int(source_x);
      const float ty = source_y - static_cast<float>(y0), tx = source_x - static_cast<float>(x0);
      const T *a, *b, *c, *d;  // the four neighbours
      if (y0 >= 0 && y0 + 1 < height && x0 >= 0 && x0 + 1 < width) {
        a = in + (static_cast<int64_t>(y0) * width + x0) * channels, b = a + channels;
        c = a + static_cast<int64_t>(width) * channels, d = c + channels;
      } else {
        a = pixel(y0, x0), b = pixel(y0, x0 + 1), c = pixel(y0 + 1, x0), d = pixel(y0 + 1, x0 + 1);
      }
      for (int32_t k = 0; k < channels; ++k) {
        const float upper = static_cast<float>(a[k]) * (1 - tx) + static_cast<float>(b[k]) * tx;
        const float lower = static_cast<float>(c[k]) * (1 - tx) + static_cast<float>(d[k]) * tx;
        *out++ = round_to<T>(upper * (1 - ty) + lower * ty);
      }
    }
  }
}

// Nearly normal noise, quickly: the sum of four random bytes (Irwin-Hall), within 3.5 deviations. One draw of the
// stream seeds SplitMix64 (Steele, Lea, Flood 2014). In blocks, so that the compiler vectorises the second loop.
template <class T>
void add_noise(T* __restrict pixels, int64_t count, float deviation, Rng& rng) {
  constexpr float kMean = 4 * 127.5f, kDeviation = 147.8f;  // sqrt(4 * (256^2 - 1) / 12)
  constexpr int64_t kBlock = 64;
  const float scale = deviation / kDeviation;
  uint64_t state = rng.next_u64();
  std::array<uint32_t, kBlock> words;
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    for (size_t i = 0; i < words.size(); i += 2) {
      uint64_t z = state += 0x9E3779B97F4A7C15u;
      z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
      z = (z ^ z >> 27) * 0x94D049BB133111EBu;
      z ^= z >> 31;
      words[i] = static_cast<uint32_t>(z);
      words[i + 1] = static_cast<uint32_t>(z >> 32);
    }
    const int64_t end = std::min(kBlock, count - begin);
    for (int64_t i = 0; i < end; ++i) {
      const uint32_t word = words[static_cast<size_t>(i)];
      const uint32_t pairs = (word & 0x00FF00FF) + (word >> 8 & 0x00FF00FF);
      const auto sum = static_cast<int32_t>((pairs & 0xFFFF) + (pairs >> 16));
      pixels[begin + i] =
          round_to<T>(static_cast<float>(pixels[begin + i]) + scale * (static_cast<float>(sum) - kMean));
    }
  }
}

}  // namespace

void AugmentOptions::describe(OptionVisitor& v) {
  v.field("horizontal_flip", horizontal_flip, {0, 1}, "probability of mirroring left and right");
  v.field("crop_padding", crop_padding, {0, 1024}, "pad by this many pixels and crop back at a random place");
  v.field("shift", shift, {0, 1}, "largest move down and across, as a fraction of the side");
  v.field("zoom", zoom, {0, 0.9}, "largest change of scale, as a fraction: 0.1 is 0.9 to 1.1 times");
  v.field("rotation", rotation, {0, 180}, "largest turn, in degrees");
  v.field("erase", erase, {0, 1}, "probability of erasing a random box");
  v.field("erase_area", erase_area, {0, 1}, "largest area of that box, as a fraction of the image");
  v.field("noise", noise, {0, 1}, "standard deviation of added noise; white is 1");
  v.field("fill", fill, {0, 1}, "gray level of what comes in from outside and of erased boxes; white is 1");
}

bool AugmentOptions::enabled() const {
  return horizontal_flip > 0 || crop_padding > 0 || shift > 0 || zoom > 0 || rotation > 0 || erase > 0 || noise > 0;
}

template <class T>
void augment(const T* in, T* out, const ImageShape& shape, const AugmentOptions& options, uint64_t seed, int64_t epoch,
             int64_t index) {
  Rng rng = epoch_rng(seed, epoch, RngPurpose::augment, static_cast<uint64_t>(index));
  const Variation v = draw(options, shape, rng);
  const T fill = from_unit<T>(options.fill);
  if (v.moves_only()) {
    move(in, out, shape, v, fill);
  } else {
    warp(in, out, shape, v, fill);
  }
  if (options.noise > 0) {
    add_noise(out, shape.size(), static_cast<float>(options.noise) * (std::is_same_v<T, float> ? 1.0f : 255.0f), rng);
  }
  for (int64_t y = v.top; y < v.bottom; ++y) {
    std::fill_n(out + (y * shape.width + v.left) * shape.channels, (v.right - v.left) * shape.channels, fill);
  }
}

template void augment(const uint8_t*, uint8_t*, const ImageShape&, const AugmentOptions&, uint64_t, int64_t, int64_t);
template void augment(const float*, float*, const ImageShape&, const AugmentOptions&, uint64_t, int64_t, int64_t);

}  // namespace danlu::data
