// A data set of images in memory, as every reader of this room gives it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "danlu/base/hash.h"
#include "danlu/data/dataset/split.h"
#include "danlu/data/image/image.h"
#include "danlu/engine/tensor/tensor.h"

namespace danlu::data {

struct UnreadableFile {
  std::string file;
  std::string reason;
};

struct LabeledImages {
  Tensor pixels;                // u8 (N, H, W, C)
  std::vector<int64_t> labels;  // N, each an index into class_names
  std::vector<std::string> class_names;
  std::vector<Part> given;         // N: the part that the source put the sample in; empty if it is not divided
  std::vector<std::string> files;  // N: paths below the root; empty if the source is not files

  // What the reader saw, for the report.
  std::vector<UnreadableFile> unreadable;         // left out
  std::map<std::string, int64_t> original_sizes;  // "28x28x1" (height, width, channels) -> count

  int64_t size() const { return static_cast<int64_t>(labels.size()); }
};

// One of them.
Image image_of(const LabeledImages& images, int64_t sample);

// One hash for the pixels of each image (not its label): equal images have equal hashes. In parallel.
std::vector<Hash128> hash_images(const LabeledImages& images);

}  // namespace danlu::data
