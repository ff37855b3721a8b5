// A weight in fewer bytes than its f32 numbers, for inference: what a layer computes with in the place of its `weight`.
//
//   8-bit integers     weight_int8 u8 (as the weight) and weight_scale (outputs): (weight_int8 - 128) weight_scale is the weight
//                      input_range (2): the least and the largest number of its input that are told apart
//   without the zeros  weight_mask u8 (outputs, inputs / 8, rounded up): a bit for each weight, the least significant first
//                      weight_values: those whose bit is set, in order
//
// These are the tensors of a model's file, beside which its `weight` is absent; `danlu compress` makes them (danlu/compress).
// Threads: products by any number of threads at once.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "danlu/engine/kernels/int8.h"
#include "danlu/engine/ops/conv.h"
#include "danlu/engine/ops/linear.h"
#include "danlu/formats/safetensors.h"
#include "danlu/learn/nn/module.h"

namespace danlu::nn {

class CompactWeight {
 public:
  virtual ~CompactWeight() = default;
  // With the names above.
  virtual const std::vector<NamedTensor>& tensors() const = 0;
  virtual const char* name() const = 0;  // "int8"
  virtual const Shape& shape() const = 0;  // of the weight
  virtual int64_t count() const = 0;     // numbers that it holds
  // As danlu::linear and danlu::conv2d; `bias` is that of the layer, always the same.
  virtual Tensor linear(const Tensor& x, const Tensor& bias, Activation activation) const = 0;
  virtual Tensor conv2d(const Tensor& x, const Tensor& bias, const Conv2dOptions& options) const = 0;
};

class Int8Weight : public CompactWeight {
 public:
  // Throws DataError for scales and ranges that are no such.
  Int8Weight(const Tensor& weight, const Tensor& scale, const Tensor& range);
  ~Int8Weight() override;
  const std::vector<NamedTensor>& tensors() const override { return tensors_; }
  const char* name() const override { return "int8"; }
  const Shape& shape() const override { return tensors_[0].tensor.shape(); }
  int64_t count() const override { return tensors_[0].tensor.numel(); }
  // x may come as the bytes of the integers that input() tells of, u8; then it is not rounded again.
  Tensor linear(const Tensor& x, const Tensor& bias, Activation activation) const override;
  Tensor conv2d(const Tensor& x, const Tensor& bias, const Conv2dOptions& options) const override;
  // The same with the result as such bytes for the layer that follows; the activation of a convolution is none or relu.
  Tensor linear(const Tensor& x, const Tensor& bias, kernels::Int8Activation activation, kernels::Int8Format result) const;
  Tensor conv2d(const Tensor& x, const Tensor& bias, const Conv2dOptions& options, kernels::Int8Format result) const;
  kernels::Int8Format input() const { return input_; }

 private:
  struct Prepared;
  const kernels::Int8Product& product(const Tensor& bias, const kernels::Conv2dShape* shape) const;
  Tensor rounded(const Tensor& x) const;
  std::vector<NamedTensor> tensors_;
  kernels::Int8Format input_;
  std::unique_ptr<Prepared> prepared_;
};

class SparseWeight : public CompactWeight {
 public:
  // Of the shape of the weight. Throws DataError where the mask has not as many set bits as there are values.
  SparseWeight(const Shape& shape, const Tensor& mask, const Tensor& values);
  // Of a dense weight, by what is not zero.
  explicit SparseWeight(const Tensor& weight);
  ~SparseWeight() override;
  const std::vector<NamedTensor>& tensors() const override { return tensors_; }
  const char* name() const override { return "sparse"; }
  const Shape& shape() const override { return shape_; }
  int64_t count() const override { return tensors_[1].tensor.numel(); }
  Tensor linear(const Tensor& x, const Tensor& bias, Activation activation) const override;
  Tensor conv2d(const Tensor& x, const Tensor& bias, const Conv2dOptions& options) const override;
  Tensor dense() const;

 private:
  struct Prepared;
  void prepare();
  Shape shape_;
  std::vector<NamedTensor> tensors_;
  std::unique_ptr<Prepared> prepared_;
};

// Gives the layers of a model the compact weights that a file has for them. Throws DataError naming the file and the tensor for damaged
// ones.
void take_compact_weights(Module& model, const formats::SafetensorsFile& file, const std::string& source);
// The bytes that the same weights take as f32.
int64_t bytes_when_dense(const formats::SafetensorsFile& file);
// Parameters, and the numbers of compact weights.
int64_t count_weights(const Module& model);

}  // namespace danlu::nn
