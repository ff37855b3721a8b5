#include "danlu/learn/models/image_pyramid.h"

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::models {

ImagePyramid image_pyramid(const char* model, const Shape& image) {
  constexpr int64_t kLeast = 8, kMost = 64, kStep = 4, kSmallest = 7;
  const auto fits = [&](int64_t side) { return side >= kLeast && side <= kMost && side % kStep == 0; };
  if (image.rank() != 3 || !fits(image[0]) || !fits(image[1])) {
    throw ConfigError("config", fmt::format("model.type: {} makes images with sides that are multiples of {} from {} to {}; got samples of shape {}; "
                                            "set data.image.height and data.image.width", model, kStep, kLeast, kMost, image.str()));
  }
  ImagePyramid pyramid{image[2], image[0], image[1], 0};
  while (pyramid.halvings < 2 || (pyramid.height % 2 == 0 && pyramid.width % 2 == 0 && std::min(pyramid.height, pyramid.width) > kSmallest)) {
    pyramid.height /= 2;
    pyramid.width /= 2;
    ++pyramid.halvings;
  }
  return pyramid;
}

}  // namespace danlu::models
