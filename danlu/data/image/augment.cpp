#include "danlu/data/image/augment.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <type_traits>

#include "danlu/data/dataset/epoch_rng.h"

namespace danlu::data {
namespace {

// The variation drawn for one sample.
struct Variation {
  bool mirror = false;
  int64_t dy = 0, dx = 0;          // the image moves down and right by whole pixels
  float angle = 0, zoom = 1;       // radians; above 1 the image grows
  int64_t top = 0, left = 0, bottom = 0, right = 0;  // the erased box; empty if bottom == top

  bool moves_only() const { return angle == 0 && zoom == 1; }
};

float uniform(Rng& rng, double low, double high) { return static_cast<float>(low + (high - low) * rng.uniform()); }

int64_t offset(Rng& rng, int64_t limit) { return limit > 0 ? rng.below(2 * limit + 1) - limit : 0; }

// A box of 2 % to max_area of the image, with sides of ratio 0.3 to 3.3.
// Source: Zhong, Zheng, Kang, Li, Yang 2017, "Random erasing data augmentation", arXiv:1708.04896.
void draw_box(Rng& rng, const ImageShape& shape, double max_area, Variation& v) {
  const double area = uniform(rng, std::min(0.02, max_area), max_area) * static_cast<double>(shape.height * shape.width);
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
  return static_cast<T>(std::clamp(value + 0.5f, 0.0f, 255.0f));
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

// Rotation and scale about the centre, then the shift: each output pixel is looked up in the source, bilinearly.
template <class T>
void warp(const T* in, T* out, const ImageShape& s, const Variation& v, T fill) {
  const float center_y = static_cast<float>(s.height - 1) / 2, center_x = static_cast<float>(s.width - 1) / 2;
  const float cosine = std::cos(v.angle) / v.zoom, sine = std::sin(v.angle) / v.zoom;
  const auto at = [&](int64_t y, int64_t x, int64_t c) {
    const bool inside = y >= 0 && y < s.height && x >= 0 && x < s.width;
    return static_cast<float>(inside ? in[(y * s.width + x) * s.channels + c] : fill);
  };
  for (int64_t y = 0; y < s.height; ++y) {
    const float dy = static_cast<float>(y - v.dy) - center_y;
    for (int64_t x = 0; x < s.width; ++x) {
      const float dx = static_cast<float>(x - v.dx) - center_x;
      const float source_y = center_y + cosine * dy - sine * dx;
      float source_x = center_x + sine * dy + cosine * dx;
      if (v.mirror) source_x = static_cast<float>(s.width - 1) - source_x;
      const float floor_y = std::floor(source_y), floor_x = std::floor(source_x);
      const float ty = source_y - floor_y, tx = source_x - floor_x;
      const auto y0 = static_cast<int64_t>(floor_y), x0 = static_cast<int64_t>(floor_x);
      for (int64_t c = 0; c < s.channels; ++c) {
        const float upper = at(y0, x0, c) * (1 - tx) + at(y0, x0 + 1, c) * tx;
        const float lower = at(y0 + 1, x0, c) * (1 - tx) + at(y0 + 1, x0 + 1, c) * tx;
        *out++ = round_to<T>(upper * (1 - ty) + lower * ty);
      }
    }
  }
}

// Nearly normal noise, quickly: the sum of the four bytes of one random word (Irwin-Hall), within 3.5 deviations.
template <class T>
void add_noise(T* pixels, int64_t count, float deviation, Rng& rng) {
  constexpr float kMean = 4 * 127.5f, kDeviation = 147.8f;  // sqrt(4 * (256^2 - 1) / 12)
  const float scale = deviation / kDeviation;
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t word = rng.next_u32();
    const uint32_t sum = (word & 255) + (word >> 8 & 255) + (word >> 16 & 255) + (word >> 24);
    pixels[i] = round_to<T>(static_cast<float>(pixels[i]) + scale * (static_cast<float>(sum) - kMean));
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
