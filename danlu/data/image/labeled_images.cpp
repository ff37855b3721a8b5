#include "danlu/data/image/labeled_images.h"

#include "danlu/base/threads.h"

namespace danlu::data {

Image image_of(const LabeledImages& images, int64_t sample) {
  const Shape& shape = images.pixels.shape();
  const uint8_t* pixels = images.pixels.data<uint8_t>() + sample * shape.inner(0);
  return {shape[1], shape[2], shape[3], {pixels, pixels + shape.inner(0)}};
}

std::vector<Hash128> hash_images(const LabeledImages& images) {
  std::vector<Hash128> hashes(static_cast<size_t>(images.size()));
  if (hashes.empty()) return hashes;
  const int64_t bytes = images.pixels.shape().inner(0);
  const uint8_t* pixels = images.pixels.data<uint8_t>();
  parallel_for(images.size(), 256, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      hashes[static_cast<size_t>(i)] = hash_bytes(pixels + i * bytes, static_cast<size_t>(bytes));
    }
  });
  return hashes;
}

}  // namespace danlu::data
