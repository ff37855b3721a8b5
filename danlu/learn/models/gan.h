// Generative adversarial network: a generator that makes images of noise, and a discriminator that learns to tell them from real ones,
// which is how the generator learns. The architecture is DCGAN's: no pooling, strides of two instead.
//
//   model: {type: gan, latent: 64, width: 64, conditional: false}
//
//   generator       noise (N, latent) -> linear -> [batch norm, ReLU, transposed convolution 4 x 4 that doubles the sides] -> tanh
//   discriminator   image (N, H, W, C) -> [convolution 4 x 4 that halves the sides, leaky ReLU] -> linear -> logit (N, 1): is it real?
//
// Images are in [-1, 1]. The discriminator is kept from growing too steep by spectral norm, or steadied by batch norm as DCGAN had it.
//
// A conditional one makes images of a class that is asked for. The generator sees the class beside the noise, one-hot; the discriminator adds
// to its logit how well the image's features h agree with the class, e_class . h (Projection), and so asks: is it a real image of that class?
//
// Source    Goodfellow et al. 2014, arXiv:1406.2661; Radford, Metz, Chintala 2016, arXiv:1511.06434; Miyato et al. 2018, arXiv:1802.05957;
//           conditional: Mirza, Osindero 2014, arXiv:1411.1784, and Miyato, Koyama 2018, arXiv:1802.05637.
#pragma once

#include <memory>
#include <string>

#include "danlu/base/options.h"
#include "danlu/learn/nn/layers.h"

namespace danlu::models {

struct GanOptions {
  int64_t latent = 64;
  int64_t width = 64;
  std::string discriminator_norm = "spectral";
  bool conditional = false;
  void describe(OptionVisitor& v);
};

class Gan : public nn::Module {
 public:
  // `classes` are those of a conditional one, and 0 for another. Throws ConfigError for images of a size that it cannot make
  // (image_pyramid.h), and for a conditional one of less than two classes.
  Gan(const GanOptions& options, const Shape& image, int64_t classes = 0);

  // What noise(), or join(), gives to images (N, H, W, C). In training, normalised over the batch.
  Tensor forward(const Tensor& noise) override { return (*generator_)(noise); }
  // Standard normal (N, latent), from the thread's generator (ops/random.h).
  Tensor noise(int64_t count) const;

  int64_t num_classes() const { return classes_; }
  // labels i64 (N) to one-hot f32 (N, classes), which says of each image what it is to show; undefined where there are no classes. Throws
  // DataError for a label that is none of them.
  Tensor condition(const Tensor& labels) const;
  // What forward makes images of: the noise, and beside it the condition where there is one.
  Tensor join(const Tensor& noise, const Tensor& condition) const;
  // Logits (N, 1) of images: are they real, and of their class?
  Tensor judge(const Tensor& images, const Tensor& condition) const;
  // Does what the discriminator says of an image depend on the others of its batch?
  bool judges_batches() const { return options_.discriminator_norm == "batch"; }

  nn::Module& generator() const { return *generator_; }
  nn::Module& discriminator() const { return *discriminator_; }
  const GanOptions& options() const { return options_; }
  const Shape& image() const { return image_; }
  std::string describe() const override;

 private:
  GanOptions options_;
  Shape image_;
  int64_t classes_;
  std::shared_ptr<nn::Sequential> generator_, discriminator_;
};

// The outputs are the classes of a conditional one.
std::unique_ptr<nn::Module> make_gan(const GanOptions& options, const Shape& input, int64_t outputs);

}  // namespace danlu::models
