#include "danlu/learn/models/gan.h"

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/ops/elementwise.h"
#include "danlu/engine/ops/movement.h"
#include "danlu/engine/ops/reduce.h"
#include "danlu/learn/models/image_pyramid.h"
#include "danlu/learn/nn/init.h"

namespace danlu::models {
namespace {

constexpr double kDeviation = 0.02;  // of initial weights, as DCGAN has it

// The last layer of a conditional discriminator: features (N, F) to logits (N, classes), one for each class that an image may be asked to show.
class Projection : public nn::Module {
 public:
  Projection(nn::Linear linear, nn::Linear classes) : linear_(add("linear", std::move(linear))), classes_(add("classes", std::move(classes))) {}
  Tensor forward(const Tensor& x) override { return (*linear_)(x) + (*classes_)(x); }
  std::string describe() const override { return fmt::format("Projection({}, {})", linear_->describe(), classes_->describe()); }

 private:
  std::shared_ptr<nn::Linear> linear_, classes_;
};

nn::Sequential make_generator(const GanOptions& o, const ImagePyramid& pyramid, int64_t classes) {
  nn::Sequential net;
  int64_t channels = o.width << (pyramid.halvings - 1);
  net.append(nn::Linear(o.latent + classes, pyramid.height * pyramid.width * channels, false));
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

nn::Sequential make_discriminator(const GanOptions& o, const ImagePyramid& pyramid, int64_t classes) {
  const bool spectral = o.discriminator_norm == "spectral", batch = o.discriminator_norm == "batch";
  nn::Sequential net;
  const auto steady = [&](auto layer) { return spectral ? nn::spectral_norm(std::move(layer)) : std::move(layer); };
  int64_t channels = pyramid.channels;
  for (int64_t level = 0; level < pyramid.halvings; ++level) {
    const int64_t filters = o.width << level;
    const bool normalized = batch && level > 0;
    net.append(steady(nn::Conv2d(channels, filters, 4, {.stride = 2, .padding = 1, .bias = !normalized})));
    if (normalized) net.append(nn::BatchNorm(filters));
    net.append(nn::LeakyReLU());
    channels = filters;
  }
  net.append(nn::Flatten());
  const int64_t features = pyramid.height * pyramid.width * channels;
  nn::Linear linear = steady(nn::Linear(features, 1));
  if (classes == 0) net.append(std::move(linear));
  else net.append(Projection(std::move(linear), steady(nn::Linear(features, classes, false))));
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
  v.field("conditional", conditional, "make images of a class that is asked for: the directories of the data, or the labels of IDX files");
}

Gan::Gan(const GanOptions& options, const Shape& image, int64_t classes) : options_(options), image_(image), classes_(classes) {
  if (options.conditional ? classes < 2 : classes != 0) {
    throw ConfigError("learn.gan", fmt::format("model.conditional: got {} with {} classes; expected {}", options.conditional, classes,
                                               options.conditional ? "at least two: images in a directory for each, or conditional: false" : "none"));
  }
  const ImagePyramid pyramid = image_pyramid("gan", image);
  generator_ = add("generator", make_generator(options, pyramid, classes));
  initialize(*generator_);
  discriminator_ = std::make_shared<nn::Sequential>(make_discriminator(options, pyramid, classes));
  initialize(*discriminator_);
  add_child("discriminator", discriminator_);
}

Tensor Gan::noise(int64_t count) const {
  Tensor z = Tensor::empty({count, options_.latent});
  nn::normal(z, 1);
  return z;
}

Tensor Gan::condition(const Tensor& labels) const {
  if (classes_ == 0) return {};
  Tensor one_hot = Tensor::zeros({labels.size(0), classes_});
  for (int64_t i = 0; i < labels.size(0); ++i) {
    const int64_t label = labels.data<int64_t>()[i];
    if (label < 0 || label >= classes_) throw DataError("learn.gan", fmt::format("got class index {} at image {}; expected one in [0, {})", label, i, classes_));
    one_hot.mutable_data()[i * classes_ + label] = 1;
  }
  return one_hot;
}

Tensor Gan::join(const Tensor& noise, const Tensor& condition) const { return classes_ == 0 ? noise : concat({noise, condition}, 1); }

Tensor Gan::judge(const Tensor& images, const Tensor& condition) const {
  const Tensor logits = (*discriminator_)(images);
  return classes_ == 0 ? logits : sum(logits * condition, 1, true);
}

std::string Gan::describe() const {
  return fmt::format("Gan(noise of {}{} to images {}, {} parameters; discriminator with {} norm, {} parameters)", options_.latent,
                     classes_ == 0 ? "" : fmt::format(" and one of {} classes", classes_), image_.str(),
                     generator_->num_parameters(), options_.discriminator_norm, discriminator_->num_parameters());
}

std::unique_ptr<nn::Module> make_gan(const GanOptions& options, const Shape& input, int64_t outputs) {
  return std::make_unique<Gan>(options, input, options.conditional ? outputs : 0);
}

}  // namespace danlu::models
