// Random variations of training images.
//
// Which variation a sample gets is a function of (seed, epoch, index of the sample) alone: not of the batch, the thread
// or the order. Only training data is varied; that is the loader's business (Phase::train).
#pragma once

#include <cstdint>

#include "danlu/base/options.h"

namespace danlu::data {

// All off by default. What comes in from outside the image is `fill`.
struct AugmentOptions {
  double horizontal_flip = 0;
  int64_t crop_padding = 0;
  double shift = 0;
  double zoom = 0;
  double rotation = 0;
  double erase = 0;
  double erase_area = 0.2;
  double noise = 0;
  double fill = 0;

  void describe(OptionVisitor& v);
  bool enabled() const;
};

struct ImageShape {
  int64_t height = 0, width = 0, channels = 0;
  int64_t size() const { return height * width * channels; }
};

// Writes the variation of `in` to `out`, (H, W, C) both, which must not overlap. T is uint8_t, or float in [0, 1].
// In this order: mirror, rotate and scale about the centre, shift, noise, erase. Costs two passes over the pixels at
// most; a flip and a shift alone are row copies.
template <class T>
void augment(const T* in, T* out, const ImageShape& shape, const AugmentOptions& options, uint64_t seed, int64_t epoch,
             int64_t index);

extern template void augment(const uint8_t*, uint8_t*, const ImageShape&, const AugmentOptions&, uint64_t, int64_t,
                             int64_t);
extern template void augment(const float*, float*, const ImageShape&, const AugmentOptions&, uint64_t, int64_t,
                             int64_t);

}  // namespace danlu::data
