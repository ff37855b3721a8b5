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

Tensor make_images(const models::Gan& gan, int64_t count, uint64_t seed) {
  const NoGrad no_grad;
  const int64_t latent = gan.options().latent;
  Tensor images = Tensor::empty(gan.image().insert(0, count)), noise = Tensor::zeros({kPiece, latent});
  for (int64_t begin = 0; begin < count; begin += kPiece) {
    const int64_t size = std::min(kPiece, count - begin);
    for (int64_t i = 0; i < size; ++i) {
      Rng rng(seed, static_cast<uint64_t>(begin + i));
      for (float& z : noise.rows(i, i + 1).mutable_span()) z = rng.normal();
    }
    images.rows(begin, begin + size).copy_from(gan.generator()(noise).rows(0, size));
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

std::vector<data::Image> ImageGenerator::generate(int64_t count, uint64_t seed) const { return to_images(make_images(*gan_, count, seed)); }

}  // namespace danlu::infer
