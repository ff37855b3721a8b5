// Many images as one, in rows with a gap of white between them: for people.
#pragma once

#include <cstdint>
#include <span>

#include "danlu/data/image/image.h"

namespace danlu::data {

// Throws DataError unless there is at least one image, all of one size and number of channels, and columns >= 1.
Image image_grid(std::span<const Image> images, int64_t columns);

// Of images that are of so many kinds in turn: a row for each kind, with white at the end where it has one image less.
Image image_rows(std::span<const Image> images, int64_t kinds);

}  // namespace danlu::data
