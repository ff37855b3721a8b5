// Many images as one, in rows with a gap of white between them: for people.
#pragma once

#include <cstdint>
#include <span>

#include "danlu/data/image/image.h"

namespace danlu::data {

// Throws DataError unless there is at least one image, all of one size and number of channels, and columns >= 1.
Image image_grid(std::span<const Image> images, int64_t columns);

}  // namespace danlu::data
