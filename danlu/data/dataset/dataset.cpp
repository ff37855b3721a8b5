#include "danlu/data/dataset/dataset.h"

#include <numeric>

#include <cstring>
#include <utility>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.dataset";

// `to` has the shape.
void copy_rows(const Tensor& from, std::span<const int64_t> indexes, Tensor& to) {
  const size_t row = static_cast<size_t>(from.shape().inner(0)) * dtype_bytes(from.dtype());
  std::byte* out = to.mutable_raw_bytes();
  for (const int64_t i : indexes) {
    std::memcpy(out, from.raw_bytes() + static_cast<size_t>(i) * row, row);
    out += row;
  }
}

}  // namespace

void Dataset::gather(std::span<const int64_t> indexes, Batch& batch, const Variant& variant) const {
  for (const int64_t i : indexes) {
    if (i < 0 || i >= size()) throw ShapeError(kWhere, fmt::format("got sample {}; expected 0 to {}", i, size() - 1));
  }
  batch.indexes.assign(indexes.begin(), indexes.end());
  batch.epoch = variant.epoch;
  fill(indexes, batch, variant);
}

void Dataset::prepare(Tensor& tensor, const Shape& shape, Dtype dtype) {
  if (tensor.defined() && tensor.shape() == shape && tensor.dtype() == dtype) {
    const detail::TensorImpl& impl = tensor.impl();
    if (impl.references.load(std::memory_order_acquire) == 1 &&
        impl.storage->references.load(std::memory_order_acquire) == 1)
      return;
  }
  tensor = Tensor::empty(shape, dtype);
}

std::vector<int64_t> all_indexes(const Dataset& dataset) {
  std::vector<int64_t> indexes(static_cast<size_t>(dataset.size()));
  std::iota(indexes.begin(), indexes.end(), int64_t{0});
  return indexes;
}

TensorDataset::TensorDataset(Tensor x, Tensor y) : x_(std::move(x)), y_(std::move(y)) {
  if (x_.dtype() != Dtype::f32 || (y_.dtype() != Dtype::f32 && y_.dtype() != Dtype::i64)) {
    throw DtypeError(kWhere, fmt::format("got x of {} and y of {}; expected f32 and i64 or f32", dtype_name(x_.dtype()),
                                         dtype_name(y_.dtype())));
  }
  if (x_.rank() < 1 || y_.rank() < 1 || x_.size(0) != y_.size(0)) {
    throw ShapeError(kWhere, fmt::format("got x of {} and y of {}; expected the same first axis", x_.shape().str(),
                                         y_.shape().str()));
  }
}

void TensorDataset::fill(std::span<const int64_t> indexes, Batch& batch, const Variant&) const {
  const auto count = static_cast<int64_t>(indexes.size());
  prepare(batch.x, x_.shape().with(0, count), x_.dtype());
  prepare(batch.y, y_.shape().with(0, count), y_.dtype());
  batch.first = {};
  copy_rows(x_, indexes, batch.x);
  copy_rows(y_, indexes, batch.y);
}

ImageDataset::ImageDataset(const LabeledImages& images, ImagePreprocess preprocess, AugmentOptions augment)
    : ImageDataset(images.pixels, Tensor::from({images.size()}, std::span<const int64_t>(images.labels)), std::move(preprocess), augment) {}

ImageDataset::ImageDataset(Tensor pixels, Tensor y, ImagePreprocess preprocess, AugmentOptions augment)
    : pixels_(std::move(pixels)), y_(std::move(y)), preprocess_(std::move(preprocess)), augment_(augment) {
  const Shape expected{size(), preprocess_.height(), preprocess_.width(), preprocess_.channels()};
  if (!(pixels_.shape() == expected)) {
    throw ShapeError(kWhere, fmt::format("got pixels of {}; expected {}", pixels_.shape().str(), expected.str()));
  }
}

void ImageDataset::fill(std::span<const int64_t> indexes, Batch& batch, const Variant& variant) const {
  const Shape shape = pixels_.shape().with(0, static_cast<int64_t>(indexes.size()));
  prepare(batch.x, shape, Dtype::f32);
  prepare(batch.y, y_.shape().with(0, shape[0]), y_.dtype());
  copy_rows(y_, indexes, batch.y);
  batch.first = {};
  const ImageShape image_shape{shape[1], shape[2], shape[3]};
  const bool vary = variant.phase == Phase::train && augment_.enabled();
  std::vector<uint8_t> varied(vary ? static_cast<size_t>(image_shape.size()) : 0);
  float* x = batch.x.mutable_data();
  for (const int64_t i : indexes) {
    const uint8_t* image = pixels_.data<uint8_t>() + i * image_shape.size();
    if (vary) {
      data::augment(image, varied.data(), image_shape, augment_, variant.seed, variant.epoch, i);
      image = varied.data();
    }
    preprocess_.normalize(image, x);
    x += image_shape.size();
  }
}

}  // namespace danlu::data
