#include "danlu/learn/models/gan.h"

#include "danlu/base/format.h"
#include "danlu/learn/models/image_pyramid.h"
#include "danlu/learn/nn/init.h"

namespace danlu::models {
namespace {

constexpr double kDeviation = 0.02;  // of initial weights, as DCGAN has it

nn::Sequential make_generator(const GanOptions& o, const ImagePyramid& pyramid) {
  nn::Sequential net;
  int64_t channels = o.width << (pyramid.halvings - 1);
  net.append(nn::Linear(o.latent, pyramid.height * pyramid.width * channels, false));
  net.append(nn::Unflatten({pyramid.height, pyramid.width, channels}));
  for (int64_t level = 1; level < pyramid.halvings; ++level) {
    net.append(nn::BatchNorm(channels));
    net.append(nn::ReLU());
    net.append(nn::ConvTranspose2d(channels, channels / 2, 4, {.stride = 2, .padding = 1, .bias = false}));
    channels /= 2;
  }
  net.append(nn::BatchNorm(channels));
  net.append(nn::ReLU());
  net.append(nn::ConvTranspose2d(channels, pyramid.channels, 4, {.stride = 2, .padding = 1}));
  net.append(nn::Tanh());
  return net;
}

nn::Sequential make_discriminator(const GanOptions& o, const ImagePyramid& pyramid) {
  const bool spectral = o.discriminator_norm == "spectral", batch = o.discriminator_norm == "batch";
  nn::Sequential net;
  const auto add = [&](auto layer) { net.append(spectral ? nn::spectral_norm(std::move(layer)) : std::move(layer)); };
  int64_t channels = pyramid.channels;
  for (int64_t level = 0; level < pyramid.halvings; ++level) {
    const int64_t filters = o.width << level;
    const bool normalized = batch && level > 0;
    add(nn::Conv2d(channels, filters, 4, {.stride = 2, .padding = 1, .bias = !normalized}));
    if (normalized) net.append(nn::BatchNorm(filters));
    net.append(nn::LeakyReLU());
    channels = filters;
  }
  net.append(nn::Flatten());
  add(nn::Linear(pyramid.height * pyramid.width * channels, 1));
  return net;
}

void initialize(const nn::Module& module) {
  for (const nn::NamedTensor& p : module.named_parameters()) {
    if (Tensor weight = p.tensor; weight.rank() >= 2) nn::normal(weight, kDeviation);
  }
}

}  // namespace

void GanOptions::describe(OptionVisitor& v) {
  v.field("latent", latent, {1, 65536}, "numbers of noise that an image is made of");
  v.field("width", width, {1, 4096}, "channels next to the image; each halving of the sides has twice as many");
  v.choice("discriminator_norm", discriminator_norm, {"spectral", "batch", "none"}, "what steadies the discriminator: its weights' largest "
           "singular values are 1, or its activations are normalised over the batch");
}

Gan::Gan(const GanOptions& options, const Shape& image) : options_(options), image_(image) {
  const ImagePyramid pyramid = image_pyramid("gan", image);
  generator_ = add("generator", make_generator(options, pyramid));
  initialize(*generator_);
  discriminator_ = std::make_shared<nn::Sequential>(make_discriminator(options, pyramid));
  initialize(*discriminator_);
  add_child("discriminator", discriminator_);
}

Tensor Gan::noise(int64_t count) const {
  Tensor z = Tensor::empty({count, options_.latent});
  nn::normal(z, 1);
  return z;
}

std::string Gan::describe() const {
  return fmt::format("Gan(noise of {} to images {}, {} parameters; discriminator with {} norm, {} parameters)", options_.latent, image_.str(),
                     generator_->num_parameters(), options_.discriminator_norm, discriminator_->num_parameters());
}

std::unique_ptr<nn::Module> make_gan(const GanOptions& options, const Shape& input, int64_t /*outputs*/) { return std::make_unique<Gan>(options, input); }

}  // namespace danlu::models
