// Data sets: samples by index, assembled into batches.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "danlu/data/image/augment.h"
#include "danlu/data/image/labeled_images.h"
#include "danlu/data/image/preprocess.h"
#include "danlu/engine/tensor/tensor.h"

namespace danlu::data {

struct Batch {
  Tensor x;                      // f32, first axis the samples; i64 (N, T) token ids
  Tensor y;                      // i64 (N) class indexes, or f32 (N, ...); i64 (N, T) next tokens, -1 where there is none
  // i64 (N, T): the first position of the document that each position belongs to, so that attention stays within it.
  // Undefined where samples are not made of documents.
  Tensor first;
  std::vector<int64_t> indexes;  // of the samples in the data set
  int64_t epoch = 0;             // that it was fetched for, in training

  int64_t size() const { return static_cast<int64_t>(indexes.size()); }
};

// What the samples are fetched for. Only training data is shuffled and varied.
enum class Phase : uint8_t { train, evaluate };

// Decides the random variations of a training sample, together with its index.
struct Variant {
  Phase phase = Phase::evaluate;
  uint64_t seed = 0;
  int64_t epoch = 0;
};

// Threads: gather may be called from several threads at once on different batches.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual int64_t size() const = 0;

  // Assembles the samples `indexes`, in that order. The tensors of `batch` are written in place when they have the
  // right shape and nobody else holds them; otherwise they are replaced, so that whoever kept an earlier batch keeps
  // its contents. Throws ShapeError for an index outside [0, size()).
  void gather(std::span<const int64_t> indexes, Batch& batch, const Variant& variant = {}) const;

  // Batches worth preparing ahead: 0 if assembling one costs less than handing it from thread to thread.
  virtual int64_t default_prefetch() const = 0;

 protected:
  // Sets x, y and first of the batch.
  virtual void fill(std::span<const int64_t> indexes, Batch& batch, const Variant& variant) const = 0;

  // Keeps `tensor` if it has the shape and type and no other handle sees its elements; else makes a new one.
  static void prepare(Tensor& tensor, const Shape& shape, Dtype dtype);
};

// [0, size): every sample of a data set.
std::vector<int64_t> all_indexes(const Dataset& dataset);

// Rows of two tensors.
class TensorDataset : public Dataset {
 public:
  // x: f32 (N, ...)   y: i64 (N) or f32 (N, ...). Throws ShapeError or DtypeError.
  TensorDataset(Tensor x, Tensor y);
  int64_t size() const override { return x_.size(0); }
  int64_t default_prefetch() const override { return 0; }

 protected:
  void fill(std::span<const int64_t> indexes, Batch& batch, const Variant& variant) const override;

 private:
  Tensor x_, y_;
};

// Images, kept as bytes; varied (in Phase::train) and normalised as they are fetched. x is (N, H, W, C).
class ImageDataset : public Dataset {
 public:
  // y is that of the images' labels, i64 (N).
  ImageDataset(const LabeledImages& images, ImagePreprocess preprocess, AugmentOptions augment = {});
  // pixels: u8 (N, H, W, C), shared and not copied   y: i64 (N) or f32 (N, ...). Throws ShapeError if the pixels have another size than
  // `preprocess`, or y another number of samples.
  ImageDataset(Tensor pixels, Tensor y, ImagePreprocess preprocess, AugmentOptions augment = {});
  int64_t size() const override { return y_.size(0); }
  int64_t default_prefetch() const override { return 2; }

 protected:
  void fill(std::span<const int64_t> indexes, Batch& batch, const Variant& variant) const override;

 private:
  Tensor pixels_, y_;
  ImagePreprocess preprocess_;
  AugmentOptions augment_;
};

}  // namespace danlu::data
