// Autoencoder: an image to a short code and back. What it cannot rebuild is unlike what it was trained on, so that its error finds
// anomalies; and the codes of images are features that can be compared.
//
//   model: {type: autoencoder, layers: convolutional, code: 32, width: 32}
//   model: {type: autoencoder, layers: dense, code: 32, hidden: [256, 64]}
//
//   convolutional   [convolution 4 x 4 that halves the sides, ReLU] -> linear -> code -> linear, ReLU -> [transposed convolution] -> tanh
//   dense           the pixels as a row -> [linear, ReLU] -> code -> [linear, ReLU] in reverse -> tanh
//
// Images are in [-1, 1]. Source    Hinton, Salakhutdinov 2006, Science 313; Masci et al. 2011.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "danlu/base/options.h"
#include "danlu/learn/nn/layers.h"

namespace danlu::models {

struct AutoencoderOptions {
  std::string layers = "convolutional";
  int64_t code = 32;
  int64_t width = 32;
  std::vector<int64_t> hidden = {256, 64};
  void describe(OptionVisitor& v);
};

class Autoencoder : public nn::Module {
 public:
  // Throws ConfigError for samples that are no images, or of a size that convolutions cannot make again (image_pyramid.h).
  Autoencoder(const AutoencoderOptions& options, const Shape& image);

  // Images (N, H, W, C) to what is left of them.
  Tensor forward(const Tensor& x) override { return (*decoder_)((*encoder_)(x)); }
  // To their codes (N, code).
  Tensor encode(const Tensor& x) { return (*encoder_)(x); }
  int64_t code_size() const { return options_.code; }
  const Shape& image() const { return image_; }
  std::string describe() const override;

 private:
  AutoencoderOptions options_;
  Shape image_;
  std::shared_ptr<nn::Sequential> encoder_, decoder_;
};

std::unique_ptr<nn::Module> make_autoencoder(const AutoencoderOptions& options, const Shape& input, int64_t outputs);

// Mean squared error of each image (N) between x and what was made of it; in [-1, 1] it is at most 4. Not differentiable.
Tensor reconstruction_errors(const Tensor& x, const Tensor& rebuilt);

}  // namespace danlu::models
