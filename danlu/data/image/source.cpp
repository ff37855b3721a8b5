#include "danlu/data/image/source.h"

#include <algorithm>
#include <utility>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/threads.h"
#include "danlu/data/image/idx.h"
#include "danlu/data/image/preprocess.h"

namespace danlu::data {
namespace {

// Brings every image to one form, in parallel.
Tensor resize_all(const Tensor& pixels, int64_t height, int64_t width, int64_t channels) {
  const Shape& from = pixels.shape();
  if (from == Shape{from[0], height, width, channels}) return pixels;
  Tensor result = Tensor::empty({from[0], height, width, channels}, Dtype::u8);
  const uint8_t* in = pixels.data<uint8_t>();
  uint8_t* out = result.mutable_data<uint8_t>();
  parallel_for(from[0], 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const uint8_t* first = in + i * from.inner(0);
      const Image image{from[1], from[2], from[3], {first, first + from.inner(0)}};
      const Image fitted = fit_to(image, height, width, channels);
      std::copy(fitted.pixels.begin(), fitted.pixels.end(), out + i * height * width * channels);
    }
  });
  return result;
}

}  // namespace

LabeledImages read_images(const fs::path& directory, const FolderOptions& options,
                          std::vector<std::string> class_names, Labels labels) {
  if (!fs::is_directory(directory)) {
    throw FileError("data.images",
                    fmt::format("got {}, which is not a directory; expected one of IDX files, or with a directory "
                                "for each class",
                                directory.string()));
  }
  if (!is_idx_directory(directory)) {
    if (!class_names.empty()) {
      throw ConfigError("data.images",
                        fmt::format("got class names for {}; expected none, because its directories are the "
                                    "classes",
                                    directory.string()));
    }
    return read_image_folder(directory, options, {}, labels);
  }
  LabeledImages set = read_idx_directory(directory, std::move(class_names));
  if (labels == Labels::none) {
    set.class_names = {"image"};
    std::fill(set.labels.begin(), set.labels.end(), 0);
  }
  const Shape& shape = set.pixels.shape();
  const int64_t channels = options.channels == "auto" ? shape[3] : options.channels == "rgb" ? 3 : 1;
  set.pixels = resize_all(set.pixels, options.height.value_or(shape[1]), options.width.value_or(shape[2]), channels);
  return set;
}

}  // namespace danlu::data
