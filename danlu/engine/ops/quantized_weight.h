// A weight in 8 or 4 bits, and the operations that take one in the place of a Tensor: for inference, nothing of it is recorded.
//
//   q8   8.5 bits a weight   groups of 32 along a row, codes of 8 bits and a scale of 16
//   q4   4.5 bits a weight   the same with codes of 4 bits
//
// The layout is that of engine/kernels/packed_weight.h, on disk as in memory: a mapped file is multiplied as it lies there.
#pragma once

#include <optional>
#include <string_view>

#include "danlu/engine/kernels/packed_weight.h"
#include "danlu/engine/ops/linear_cross_entropy.h"
#include "danlu/engine/tensor/tensor.h"

namespace danlu {

using kernels::WeightFormat;  // q8, q4

const char* weight_format_name(WeightFormat format);
std::optional<WeightFormat> find_weight_format(std::string_view name);

class QuantizedWeight {
 public:
  QuantizedWeight() = default;  // undefined
  // packed: u8 (row blocks, bytes of one), as packed_shape() says. Throws ShapeError, DtypeError.
  QuantizedWeight(WeightFormat format, int64_t rows, int64_t columns, Tensor packed);
  static Shape packed_shape(WeightFormat format, int64_t rows, int64_t columns);

  bool defined() const { return packed_.defined(); }
  WeightFormat format() const { return layout_.format; }
  int64_t rows() const { return layout_.rows; }
  int64_t columns() const { return layout_.columns; }
  const Tensor& packed() const { return packed_; }
  const kernels::PackedWeight& layout() const { return layout_; }
  Tensor dequantize() const;  // f32 (rows, columns)

 private:
  kernels::PackedWeight layout_;
  Tensor packed_;
};

// Shapes    x: (..., in)   weight: (out, in)   bias: (out) or undefined   y: (..., out)
// Numbers   x is rounded to 8 bits in groups of 32 (engine/kernels/quantized_linear.h); a row of y depends on its row of x alone.
Tensor linear(const Tensor& x, const QuantizedWeight& weight, const Tensor& bias = {});

// Shapes    ids: i64 (...)   weight: (V, C)   y: (..., C)
// Errors    DataError for an id outside [0, V).
Tensor embedding(const Tensor& ids, const QuantizedWeight& weight);

// As linear_cross_entropy of linear_cross_entropy.h, without gradients.
Tensor linear_cross_entropy(const Tensor& x, const QuantizedWeight& weight, const Tensor& target, const LinearCrossEntropyOptions& options = {});

}  // namespace danlu
