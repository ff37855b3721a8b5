// A trained bundle that makes images (model type gan).
//
//   ImageGenerator generator("runs/fashion-gan");
//   std::vector<data::Image> images = generator.generate(64, seed);
//
// An image is a function of its seed, its number and its class, where the model has classes: generate(10, s) begins as generate(64, s) does,
// whoever asks and on how many threads.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "danlu/base/files.h"
#include "danlu/data/image/image.h"
#include "danlu/infer/bundle.h"
#include "danlu/learn/models/gan.h"

namespace danlu::infer {

// Of the bundle, or of that of a run directory. False for what is no bundle at all.
bool is_image_generator(const fs::path& bundle);

// The first `count` images of a seed, (count, H, W, C) in [-1, 1]. The model is in evaluation mode. Of a conditional one `labels` has the class
// of each; without them the classes take turns. Throws DataError for a label that is none of them, and ShapeError for another number of labels.
Tensor make_images(const models::Gan& gan, int64_t count, uint64_t seed, std::span<const int64_t> labels = {});

// Pixels in [-1, 1], (N, H, W, C), as images.
std::vector<data::Image> to_images(const Tensor& pixels);

// Threads: generate may be called from any number of threads at once.
class ImageGenerator {
 public:
  // Throws FileError or DataError naming the file, as read_bundle does, and DataError if the bundle's model makes no images.
  explicit ImageGenerator(const fs::path& bundle);

  const std::string& name() const { return bundle_.config.name; }
  const Shape& image() const { return bundle_.config.input_shape; }  // (H, W, C)
  // Of which images can be asked for; empty unless the model is conditional.
  const std::vector<std::string>& class_names() const { return bundle_.config.class_names; }
  // Throws DataError for one that is none of them, naming those that there are.
  int64_t label_of(const std::string& class_name) const;
  int64_t num_parameters() const;
  const models::Gan& gan() const { return *gan_; }
  // All of one class, or of each in turn.
  std::vector<data::Image> generate(int64_t count, uint64_t seed, std::optional<int64_t> label = {}) const;

 private:
  Bundle bundle_;
  const models::Gan* gan_;
};

}  // namespace danlu::infer
