#include "danlu/data/image/preprocess.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.preprocess";
constexpr int64_t kMaxSide = 16384;

}  // namespace

ImagePreprocess::ImagePreprocess(int64_t height, int64_t width, std::vector<double> mean, std::vector<double> std)
    : height_(height), width_(width), mean_(std::move(mean)), std_(std::move(std)) {
  const bool sizes = height >= 1 && width >= 1 && height <= kMaxSide && width <= kMaxSide;
  if (!sizes || (mean_.size() != 1 && mean_.size() != 3) || std_.size() != mean_.size()) {
    throw DataError(kWhere,
                    fmt::format("got {} x {} pixels, {} means and {} standard deviations; expected sides of 1 to {} "
                                "and 1 or 3 of both",
                                height, width, mean_.size(), std_.size(), kMaxSide));
  }
  for (size_t c = 0; c < mean_.size(); ++c) {
    if (!std::isfinite(mean_[c]) || !std::isfinite(std_[c]) || std_[c] <= 0) {
      throw DataError(kWhere, fmt::format("got mean {} and std {} for channel {}; expected finite numbers, std > 0",
                                          mean_[c], std_[c], c));
    }
  }
  for (size_t i = 0; i < scale_.size(); ++i) {
    const size_t c = i % mean_.size();
    scale_[i] = static_cast<float>(1.0 / (255.0 * std_[c]));
    shift_[i] = static_cast<float>(-mean_[c] / std_[c]);
  }
}

ImagePreprocess ImagePreprocess::fit(const Tensor& pixels, std::span<const int64_t> train) {
  const Shape& shape = pixels.shape();
  if (shape.rank() != 4 || train.empty()) {
    throw DataError(kWhere,
                    fmt::format("got pixels of {} and {} training samples; expected (N, H, W, C) and at least one",
                                shape.str(), train.size()));
  }
  const auto channels = static_cast<size_t>(shape[3]);
  const int64_t image_size = shape.inner(0);
  std::vector<double> mean(channels), std(channels);
  for (size_t c = 0; c < channels; ++c) {
    // Counting the values first keeps the sums exact, whatever the number of pixels.
    std::array<int64_t, 256> histogram{};
    for (const int64_t i : train) {
      const uint8_t* image = pixels.data<uint8_t>() + i * image_size;
      for (int64_t p = static_cast<int64_t>(c); p < image_size; p += shape[3]) ++histogram[image[p]];
    }
    const double count = static_cast<double>(train.size()) * static_cast<double>(shape[1] * shape[2]);
    double sum = 0, squares = 0;
    for (int v = 0; v < 256; ++v) sum += static_cast<double>(histogram[static_cast<size_t>(v)]) * v;
    const double average = sum / count;
    for (int v = 0; v < 256; ++v)
      squares += static_cast<double>(histogram[static_cast<size_t>(v)]) * (v - average) * (v - average);
    mean[c] = average / 255;
    std[c] = squares > 0 ? std::sqrt(squares / count) / 255 : 1;
  }
  return ImagePreprocess(shape[1], shape[2], std::move(mean), std::move(std));
}

ImagePreprocess ImagePreprocess::from_json(const Json& json, std::string_view source) {
  try {
    return ImagePreprocess(json.at("height").get<int64_t>(), json.at("width").get<int64_t>(),
                           json.at("mean").get<std::vector<double>>(), json.at("std").get<std::vector<double>>());
  } catch (const Json::exception& e) {
    throw DataError(kWhere, fmt::format("{}: {}; expected height, width, mean and std of images", source, e.what()));
  } catch (const DataError& e) {
    throw DataError(kWhere, fmt::format("{}: {}", source, e.message()));
  }
}

Json ImagePreprocess::to_json() const {
  return {{"height", height_}, {"width", width_}, {"channels", channels()}, {"mean", mean_}, {"std", std_}};
}

void ImagePreprocess::normalize(const uint8_t* in, float* out) const {
  const int64_t size = height_ * width_ * channels();
  int64_t i = 0;
  for (; i + kTile <= size; i += kTile) {
    for (int64_t k = 0; k < kTile; ++k) {
      out[i + k] = static_cast<float>(in[i + k]) * scale_[static_cast<size_t>(k)] + shift_[static_cast<size_t>(k)];
    }
  }
  for (int64_t k = 0; i < size; ++i, ++k)
    out[i] = static_cast<float>(in[i]) * scale_[static_cast<size_t>(k)] + shift_[static_cast<size_t>(k)];
}

Image ImagePreprocess::denormalize(const float* in) const {
  Image image{height_, width_, channels(), std::vector<uint8_t>(static_cast<size_t>(height_ * width_ * channels()))};
  for (size_t i = 0; i < image.pixels.size(); ++i) {
    const size_t c = i % mean_.size();
    image.pixels[i] = static_cast<uint8_t>(std::lround(std::clamp((static_cast<double>(in[i]) * std_[c] + mean_[c]) * 255, 0.0, 255.0)));
  }
  return image;
}

Tensor ImagePreprocess::encode(std::span<const Image> images) const {
  Tensor x = Tensor::empty({static_cast<int64_t>(images.size()), height_, width_, channels()});
  float* out = x.mutable_data();
  for (const Image& image : images) {
    normalize(fit_to(image, height_, width_, channels()).pixels.data(), out);
    out += height_ * width_ * channels();
  }
  return x;
}

Image fit_to(const Image& image, int64_t height, int64_t width, int64_t channels) {
  return resize(convert_channels(image, channels), height, width);
}

}  // namespace danlu::data
