// Generative adversarial network: a generator that makes images of noise, and a discriminator that learns to tell them from real ones,
// which is how the generator learns. The architecture is DCGAN's: no pooling, strides of two instead.
//
//   model: {type: gan, latent: 64, width: 64}
//
//   generator       noise (N, latent) -> linear -> [batch norm, ReLU, transposed convolution 4 x 4 that doubles the sides] -> tanh
//   discriminator   image (N, H, W, C) -> [convolution 4 x 4 that halves the sides, leaky ReLU] -> linear -> logit (N, 1): is it real?
//
// Images are in [-1, 1]. The discriminator is kept from growing too steep by spectral norm, or steadied by batch norm as DCGAN had it.
// Source    Goodfellow et al. 2014, arXiv:1406.2661; Radford, Metz, Chintala 2016, arXiv:1511.06434; Miyato et al. 2018, arXiv:1802.05957.
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
  void describe(OptionVisitor& v);
};

class Gan : public nn::Module {
 public:
  // Throws ConfigError for images of a size that it cannot make (image_pyramid.h).
  Gan(const GanOptions& options, const Shape& image);

  // noise (N, latent) to images (N, H, W, C). In training, normalised over the batch.
  Tensor forward(const Tensor& noise) override { return (*generator_)(noise); }
  // Standard normal, from the thread's generator (ops/random.h).
  Tensor noise(int64_t count) const;
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
  std::shared_ptr<nn::Sequential> generator_, discriminator_;
};

std::unique_ptr<nn::Module> make_gan(const GanOptions& options, const Shape& input, int64_t outputs);

}  // namespace danlu::models
