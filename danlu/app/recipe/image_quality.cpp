#include "danlu/app/recipe/image_quality.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/rng.h"
#include "danlu/data/image/preprocess.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/eval/nearest.h"
#include "danlu/infer/image_generator.h"

namespace danlu::app {
namespace {

constexpr int64_t kBatch = 256;
constexpr int64_t kMostReal = 4096;     // real images that are compared with
constexpr int64_t kPairs = 256;         // images whose distances from each other are measured
constexpr int64_t kValidated = 2048, kValidatedLookedUp = 64;

// Samples of a set in [-1, 1].
Tensor pixels_of(const data::LabeledImages& images, std::span<const int64_t> samples) {
  const Shape& shape = images.pixels.shape();
  Tensor x = Tensor::empty(shape.with(0, static_cast<int64_t>(samples.size())));
  float* out = x.mutable_data();
  const uint8_t* in = images.pixels.data<uint8_t>();
  for (const int64_t sample : samples) {
    for (int64_t i = 0; i < shape.inner(0); ++i) *out++ = static_cast<float>(in[sample * shape.inner(0) + i]) / 127.5f - 1;
  }
  return x;
}

// At most so many of the samples, in an order of chance, so that each beginning of them is of all classes: a folder has one behind the other.
std::vector<int64_t> mixed(std::span<const int64_t> samples) {
  std::vector<int64_t> order(samples.begin(), samples.end());
  Rng(1).shuffle(order);
  order.resize(std::min<size_t>(order.size(), kMostReal));
  return order;
}

// How many of the rows are nearest to one of the set that has their label.
double nearest_accuracy(const Tensor& rows, std::span<const int64_t> labels, const Tensor& set, std::span<const int64_t> set_labels) {
  int64_t right = 0;
  const std::vector<int64_t> nearest = eval::nearest_rows(rows, set);
  for (size_t i = 0; i < nearest.size(); ++i) right += set_labels[static_cast<size_t>(nearest[i])] == labels[i];
  return static_cast<double>(right) / static_cast<double>(nearest.size());
}

Tensor first_rows(const Tensor& x, int64_t count) { return x.rows(0, std::min(count, x.size(0))); }

}  // namespace

ImageQuality::ImageQuality(models::Autoencoder& features, const data::LabeledImages& images, std::span<const int64_t> training,
                           std::span<const int64_t> all_real)
    : features_(features), images_(images), training_(training), scale_(static_cast<size_t>(features.code_size()), 1.0f) {
  const std::vector<int64_t> real = mixed(all_real);
  const Tensor pixels = pixels_of(images, real);
  for (const int64_t sample : real) real_labels_.push_back(images.labels[static_cast<size_t>(sample)]);
  const eval::Gaussian raw = eval::fit_gaussian(codes_of(pixels));
  for (size_t j = 0; j < scale_.size(); ++j) {
    const double variance = raw.covariance[j * scale_.size() + j];
    if (variance > 0) scale_[j] = static_cast<float>(1 / std::sqrt(variance));
  }
  real_codes_ = codes_of(pixels);
  real_ = eval::fit_gaussian(real_codes_);
  real_diversity_ = eval::mean_pairwise_distance(first_rows(real_codes_, kPairs));
  const int64_t half = real_codes_.size(0) / 2;
  const Tensor one = real_codes_.rows(0, half), other = real_codes_.rows(half, real_codes_.size(0));
  if (half >= 2) floor_ = eval::frechet_distance(eval::fit_gaussian(one), eval::fit_gaussian(other));
  const auto labels = std::span<const int64_t>(real_labels_);
  real_class_accuracy_ = nearest_accuracy(one, labels.first(static_cast<size_t>(half)), other, labels.subspan(static_cast<size_t>(half)));
}

Tensor ImageQuality::codes_of(const Tensor& images) const {
  const NoGrad no_grad;
  const nn::EvalMode eval(features_);
  Tensor codes = Tensor::empty({images.size(0), features_.code_size()});
  for (int64_t begin = 0; begin < images.size(0); begin += kBatch) {
    const int64_t end = std::min(begin + kBatch, images.size(0));
    codes.rows(begin, end).copy_from(features_.encode(images.rows(begin, end)));
  }
  float* c = codes.mutable_data();
  for (int64_t i = 0; i < codes.numel(); ++i) c[i] *= scale_[static_cast<size_t>(i) % scale_.size()];
  return codes;
}

ImageQuality::Result ImageQuality::measure(const models::Gan& gan, int64_t samples, int64_t looked_up, uint64_t seed) const {
  std::vector<int64_t> labels;
  if (gan.num_classes() > 0) {
    for (int64_t i = 0; i < samples; ++i) labels.push_back(real_labels_[static_cast<size_t>(i) % real_labels_.size()]);
  }
  const Tensor made = infer::make_images(gan, samples, seed, labels), codes = codes_of(made);
  Result result{.samples = samples, .looked_up = std::min(looked_up, samples)};
  if (!labels.empty()) result.class_accuracy = nearest_accuracy(codes, labels, real_codes_, real_labels_);
  result.frechet_distance = eval::frechet_distance(eval::fit_gaussian(codes), real_);
  if (real_diversity_ > 0) result.diversity = eval::mean_pairwise_distance(first_rows(codes, kPairs)) / real_diversity_;
  const std::vector<data::Image> images = infer::to_images(first_rows(made, looked_up));
  Tensor pixels = Tensor::empty(made.shape().with(0, static_cast<int64_t>(images.size())), Dtype::u8);
  auto* out = pixels.mutable_data<uint8_t>();
  for (const data::Image& image : images) out = std::copy(image.pixels.begin(), image.pixels.end(), out);
  result.least_distance = 1;
  for (const eval::Nearest& nearest : eval::nearest_images(pixels, images_.pixels, training_)) {
    result.nearest_distance += nearest.distance / static_cast<double>(result.looked_up);
    result.least_distance = std::min(result.least_distance, nearest.distance);
    result.copies += nearest.distance == 0;
  }
  return result;
}

train::Validation ImageQuality::validate(const models::Gan& gan, uint64_t seed) const {
  const Result r = measure(gan, kValidated, kValidatedLookedUp, seed);
  train::Validation found{r.frechet_distance, std::nullopt, r.samples,
                          {{"frechet_distance", r.frechet_distance}, {"diversity", r.diversity}, {"nearest_distance", r.nearest_distance}}};
  if (r.class_accuracy) found.measures["class_accuracy"] = *r.class_accuracy;
  return found;
}

}  // namespace danlu::app
