// From decoded images to what a model is fed: one size, one number of channels, normalised channels. Fitted on the
// training split only, saved with the model, and replayed unchanged when it predicts.
//
//   x[n, h, w, c] = (pixel / 255 - mean[c]) / std[c]        f32 (N, H, W, C)
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/data/image/image.h"
#include "danlu/engine/tensor/tensor.h"

namespace danlu::data {

class ImagePreprocess {
 public:
  // mean and std per channel, of pixels scaled to [0, 1]; std > 0. Throws DataError for sizes that make no sense.
  ImagePreprocess(int64_t height, int64_t width, std::vector<double> mean, std::vector<double> std);

  // Mean and standard deviation of the samples `train` of pixels, u8 (N, H, W, C), exact (integer sums). A constant
  // channel gets std 1.
  static ImagePreprocess fit(const Tensor& pixels, std::span<const int64_t> train);

  static ImagePreprocess from_json(const Json& json, std::string_view source);
  Json to_json() const;

  int64_t height() const { return height_; }
  int64_t width() const { return width_; }
  int64_t channels() const { return static_cast<int64_t>(mean_.size()); }
  const std::vector<double>& mean() const { return mean_; }
  const std::vector<double>& std() const { return std_; }

  // Normalises one image of the right size: height * width * channels values.
  void normalize(const uint8_t* in, float* out) const;
  // The image that was normalised, exactly; what no pixel can be is rounded to the nearest.
  Image denormalize(const float* in) const;

  // Converts, resizes and normalises images of any size. Threads: safe from several at once.
  Tensor encode(std::span<const Image> images) const;

 private:
  // scale and shift repeated so that a whole number of 1- and 3-channel pixels, and of vectors, fits.
  static constexpr int64_t kTile = 48;

  int64_t height_, width_;
  std::vector<double> mean_, std_;
  std::array<float, kTile> scale_{}, shift_{};  // x = pixel * scale + shift
};

// Channels and size changed as needed: what encode does before it normalises.
Image fit_to(const Image& image, int64_t height, int64_t width, int64_t channels);

}  // namespace danlu::data
