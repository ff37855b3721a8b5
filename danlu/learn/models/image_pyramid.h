// The sizes that an image goes through while it is halved, or doubled in the other direction: for models that make images.
#pragma once

#include <cstdint>

#include "danlu/engine/tensor/shape.h"

namespace danlu::models {

struct ImagePyramid {
  int64_t channels;       // of the image
  int64_t height, width;  // of the smallest level
  int64_t halvings;       // between the image and that: at least two, and more until a side is odd or at most 7
};

// Throws ConfigError naming the model unless `image` is (H, W, C) with sides that are multiples of 4 from 8 to 64.
ImagePyramid image_pyramid(const char* model, const Shape& image);

}  // namespace danlu::models
