#include "danlu/infer/image_generator.h"

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/rng.h"
#include "danlu/data/image/preprocess.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/infer/bundle_directory.h"

namespace danlu::infer {
namespace {

// Images are made so many at a time, the last ones too: the kernels are chosen by that number, and with them the rounding.
constexpr int64_t kPiece = 16;

}  // namespace

bool is_image_generator(const fs::path& given) {
  if (!is_bundle(given)) return false;
  const Json model = read_json(bundle_directory(given) / kConfigFile).value("model", Json());
  return model.is_object() && model.value("type", Json()) == "gan";
}

Tensor make_images(const models::Gan& gan, int64_t count, uint64_t seed, std::span<const int64_t> wanted) {
  if (!wanted.empty() && std::ssize(wanted) != count) {
    throw ShapeError("infer.images", fmt::format("got {} classes for {} images; expected one for each", wanted.size(), count));
  }
  const NoGrad no_grad;
  const int64_t latent = gan.options().latent, classes = gan.num_classes();
  Tensor images = Tensor::empty(gan.image().insert(0, count)), noise = Tensor::zeros({kPiece, latent}), labels = Tensor::zeros({kPiece}, Dtype::i64);
  for (int64_t begin = 0; begin < count; begin += kPiece) {
    const int64_t size = std::min(kPiece, count - begin);
    for (int64_t i = 0; i < size; ++i) {
      Rng rng(seed, static_cast<uint64_t>(begin + i));
      for (float& z : noise.rows(i, i + 1).mutable_span()) z = rng.normal();
      const int64_t number = begin + i;
      if (classes > 0) labels.mutable_data<int64_t>()[i] = wanted.empty() ? number % classes : wanted[static_cast<size_t>(number)];
    }
    images.rows(begin, begin + size).copy_from(gan.generator()(gan.join(noise, gan.condition(labels))).rows(0, size));
  }
  return images;
}

std::vector<data::Image> to_images(const Tensor& pixels) {
  const Shape& shape = pixels.shape();
  const auto channels = static_cast<size_t>(shape[3]);
  const data::ImagePreprocess scale(shape[1], shape[2], std::vector<double>(channels, 0.5), std::vector<double>(channels, 0.5));
  std::vector<data::Image> images;
  for (int64_t i = 0; i < shape[0]; ++i) images.push_back(scale.denormalize(pixels.data() + i * shape.inner(0)));
  return images;
}

ImageGenerator::ImageGenerator(const fs::path& bundle) : bundle_(read_bundle(bundle)), gan_(dynamic_cast<const models::Gan*>(bundle_.model.get())) {
  if (gan_ == nullptr) {
    throw DataError("infer.images", fmt::format("{}: got the model {}; expected a gan, which makes images", bundle.string(), bundle_.model->describe()));
  }
}

int64_t ImageGenerator::num_parameters() const { return gan_->generator().num_parameters(); }

int64_t ImageGenerator::label_of(const std::string& class_name) const {
  const std::vector<std::string>& names = class_names();
  const auto found = std::find(names.begin(), names.end(), class_name);
  if (found != names.end()) return found - names.begin();
  throw DataError("infer.images", fmt::format("got the class \"{}\"; expected {}", class_name,
                                              names.empty() ? fmt::format("none: {} makes images of no class; train one with model.conditional", name())
                                                            : fmt::format("one of {}", fmt::join(names, ", "))));
}

std::vector<data::Image> ImageGenerator::generate(int64_t count, uint64_t seed, std::optional<int64_t> label) const {
  const std::vector<int64_t> labels(static_cast<size_t>(label ? count : 0), label.value_or(0));
  return to_images(make_images(*gan_, count, seed, labels));
}

}  // namespace danlu::infer
