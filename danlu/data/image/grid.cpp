#include "danlu/data/image/grid.h"

#include <algorithm>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::data {

Image image_grid(std::span<const Image> images, int64_t columns) {
  constexpr int64_t kGap = 2;
  if (images.empty() || columns < 1) {
    throw DataError("data.image", fmt::format("got {} images in {} columns; expected at least one of each", images.size(), columns));
  }
  const Image& first = images.front();
  const auto count = static_cast<int64_t>(images.size());
  columns = std::min(columns, count);
  const int64_t rows = (count + columns - 1) / columns;
  Image grid{rows * (first.height + kGap) - kGap, columns * (first.width + kGap) - kGap, first.channels, {}};
  grid.pixels.assign(static_cast<size_t>(grid.height * grid.width * grid.channels), 255);
  const int64_t row_bytes = first.width * first.channels;
  for (int64_t k = 0; k < count; ++k) {
    const Image& image = images[static_cast<size_t>(k)];
    if (image.height != first.height || image.width != first.width || image.channels != first.channels) {
      throw DataError("data.image", fmt::format("got images of {} x {} x {} and {} x {} x {}; expected one size", first.height, first.width,
                                                first.channels, image.height, image.width, image.channels));
    }
    const int64_t top = k / columns * (first.height + kGap), left = k % columns * (first.width + kGap);
    for (int64_t y = 0; y < first.height; ++y) {
      std::copy_n(image.pixels.begin() + y * row_bytes, row_bytes, grid.pixels.begin() + ((top + y) * grid.width + left) * first.channels);
    }
  }
  return grid;
}

Image image_rows(std::span<const Image> images, int64_t kinds) {
  const auto count = static_cast<int64_t>(images.size());
  if (count == 0 || kinds < 1) throw DataError("data.image", fmt::format("got {} images of {} kinds; expected at least one of each", count, kinds));
  const int64_t rows = std::min(kinds, count), columns = (count + kinds - 1) / kinds;
  Image white = images.front();
  std::fill(white.pixels.begin(), white.pixels.end(), 255);
  std::vector<Image> in_rows;
  for (int64_t place = 0; place < rows * columns; ++place) {
    const int64_t number = place % columns * kinds + place / columns;
    in_rows.push_back(number < count ? images[static_cast<size_t>(number)] : white);
  }
  return image_grid(in_rows, columns);
}

}  // namespace danlu::data
