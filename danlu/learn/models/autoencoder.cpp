#include "danlu/learn/models/autoencoder.h"

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/learn/models/image_pyramid.h"
#include "danlu/learn/models/require_image.h"

namespace danlu::models {
namespace {

struct Halves {
  nn::Sequential encoder, decoder;
};

Halves convolutional(const AutoencoderOptions& o, const Shape& image) {
  const ImagePyramid pyramid = image_pyramid("autoencoder", image);
  Halves net;
  int64_t channels = pyramid.channels;
  for (int64_t level = 0; level < pyramid.halvings; ++level) {
    net.encoder.append(nn::Conv2d(channels, o.width << level, 4, {.stride = 2, .padding = 1}));
    net.encoder.append(nn::ReLU());
    channels = o.width << level;
  }
  const int64_t features = pyramid.height * pyramid.width * channels;
  net.encoder.append(nn::Flatten());
  net.encoder.append(nn::Linear(features, o.code, true, nn::Init::xavier));
  net.decoder.append(nn::Linear(o.code, features));
  net.decoder.append(nn::ReLU());
  net.decoder.append(nn::Unflatten({pyramid.height, pyramid.width, channels}));
  for (int64_t level = pyramid.halvings - 1; level >= 0; --level) {
    const int64_t next = level > 0 ? o.width << (level - 1) : pyramid.channels;
    net.decoder.append(nn::ConvTranspose2d(channels, next, 4, {.stride = 2, .padding = 1}));
    if (level > 0) net.decoder.append(nn::ReLU());
    channels = next;
  }
  net.decoder.append(nn::Tanh());
  return net;
}

Halves dense(const AutoencoderOptions& o, const Shape& image) {
  Halves net;
  std::vector<int64_t> widths = {image.numel()};
  widths.insert(widths.end(), o.hidden.begin(), o.hidden.end());
  net.encoder.append(nn::Flatten());
  for (size_t i = 0; i + 1 < widths.size(); ++i) {
    net.encoder.append(nn::Linear(widths[i], widths[i + 1]));
    net.encoder.append(nn::ReLU());
  }
  net.encoder.append(nn::Linear(widths.back(), o.code, true, nn::Init::xavier));
  widths.push_back(o.code);
  for (size_t i = widths.size() - 1; i > 1; --i) {
    net.decoder.append(nn::Linear(widths[i], widths[i - 1]));
    net.decoder.append(nn::ReLU());
  }
  net.decoder.append(nn::Linear(widths[1], widths[0], true, nn::Init::xavier));
  net.decoder.append(nn::Tanh());
  net.decoder.append(nn::Unflatten(image));
  return net;
}

}  // namespace

void AutoencoderOptions::describe(OptionVisitor& v) {
  v.choice("layers", layers, {"convolutional", "dense"}, "what encodes and decodes");
  v.field("code", code, {1, 65536}, "numbers that an image becomes");
  v.field("width", width, {1, 4096}, "convolutional: channels next to the image; each halving of the sides has twice as many");
  v.field("hidden", hidden, {1, 1e6}, "dense: widths of the hidden layers from the image to the code; the way back has them in reverse");
}

Autoencoder::Autoencoder(const AutoencoderOptions& options, const Shape& image) : options_(options), image_(image) {
  require_image("autoencoder", image);
  Halves net = options.layers == "dense" ? dense(options, image) : convolutional(options, image);
  encoder_ = add("encoder", std::move(net.encoder));
  decoder_ = add("decoder", std::move(net.decoder));
}

std::string Autoencoder::describe() const {
  return fmt::format("Autoencoder({} {}, {} to a code of {} and back)", options_.layers == "dense" ? "dense" : "convolutional",
                     fmt::join(options_.layers == "dense" ? options_.hidden : std::vector<int64_t>{options_.width}, ", "), image_.str(), options_.code);
}

std::unique_ptr<nn::Module> make_autoencoder(const AutoencoderOptions& options, const Shape& input, int64_t /*outputs*/) {
  return std::make_unique<Autoencoder>(options, input);
}

Tensor reconstruction_errors(const Tensor& x, const Tensor& rebuilt) {
  if (!(x.shape() == rebuilt.shape()) || x.rank() < 2) {
    throw ShapeError("learn.models", fmt::format("got images {} and rebuilt ones {}; expected the same shape", x.shape().str(), rebuilt.shape().str()));
  }
  const int64_t pixels = x.shape().inner(0);
  Tensor errors = Tensor::empty({x.size(0)});
  const float *a = x.data(), *b = rebuilt.data();
  for (float& error : errors.mutable_span()) {
    double total = 0;
    for (int64_t i = 0; i < pixels; ++i) {
      const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
      total += difference * difference;
    }
    error = static_cast<float>(total / static_cast<double>(pixels));
    a += pixels;
    b += pixels;
  }
  return errors;
}

}  // namespace danlu::models
