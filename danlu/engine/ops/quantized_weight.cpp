#include "danlu/engine/ops/quantized_weight.h"

#include <algorithm>
#include <array>
#include <utility>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/threads.h"
#include "danlu/engine/kernels/quantized_linear.h"
#include "danlu/engine/ops/loss.h"
#include "danlu/engine/ops/op.h"
#include "danlu/engine/ops/require.h"

namespace danlu {
namespace {

constexpr std::array kNames = {std::pair{WeightFormat::q8, "q8"}, std::pair{WeightFormat::q4, "q4"}};
constexpr int64_t kPieceElements = int64_t{1} << 23;  // of logits, 32 MiB

}  // namespace

const char* weight_format_name(WeightFormat format) {
  return std::find_if(kNames.begin(), kNames.end(), [&](const auto& entry) { return entry.first == format; })->second;
}

std::optional<WeightFormat> find_weight_format(std::string_view name) {
  for (const auto& [format, word] : kNames) {
    if (name == word) return format;
  }
  return std::nullopt;
}

Shape QuantizedWeight::packed_shape(WeightFormat format, int64_t rows, int64_t columns) {
  const kernels::PackedWeight w{format, rows, columns, nullptr};
  return {w.row_blocks(), w.block_bytes()};
}

QuantizedWeight::QuantizedWeight(WeightFormat format, int64_t rows, int64_t columns, Tensor packed) : packed_(std::move(packed)) {
  const Shape expected = packed_shape(format, rows, columns);
  if (!(packed_.shape() == expected)) {
    throw ShapeError("engine.ops.quantized_weight", fmt::format("got {}; expected {} for a weight of ({}, {}) in {}", packed_.shape().str(),
                                                                expected.str(), rows, columns, weight_format_name(format)));
  }
  layout_ = {format, rows, columns, packed_.data<uint8_t>()};
}

Tensor QuantizedWeight::dequantize() const {
  Tensor weight = Tensor::empty({rows(), columns()});
  float* out = weight.mutable_data();
  parallel_for(rows(), kernels::kUnitRows, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) kernels::unpack_row(layout_, row, out + row * columns());
  });
  return weight;
}

Tensor linear(const Tensor& x, const QuantizedWeight& weight, const Tensor& bias) {
  require_f32(op::linear, x);
  if (x.rank() < 1 || x.size(-1) != weight.columns()) bad_shape(op::linear, "x", x.shape(), fmt::format("(..., {})", weight.columns()));
  if (bias.defined() && !(bias.shape() == Shape{weight.rows()})) bad_shape(op::linear, "bias", bias.shape(), Shape{weight.rows()}.str());
  Tensor y = Tensor::empty(x.shape().with(-1, weight.rows()));
  kernels::quantized_linear(x.data(), weight.layout(), bias.defined() ? bias.data() : nullptr, y.mutable_data(), x.shape().outer(-1));
  return y;
}

Tensor embedding(const Tensor& ids, const QuantizedWeight& weight) {
  const int64_t count = ids.numel(), columns = weight.columns();
  const int64_t* id = ids.data<int64_t>();
  Tensor y = Tensor::empty(ids.shape().insert(ids.rank(), columns));
  float* out = y.mutable_data();
  for (int64_t i = 0; i < count; ++i) {
    if (id[i] < 0 || id[i] >= weight.rows()) {
      throw DataError("engine.ops.embedding", fmt::format("got id {} at position {}; expected one in [0, {})", id[i], i, weight.rows()));
    }
    kernels::unpack_row(weight.layout(), id[i], out + i * columns);
  }
  return y;
}

Tensor linear_cross_entropy(const Tensor& x, const QuantizedWeight& weight, const Tensor& target, const LinearCrossEntropyOptions& options) {
  require_f32(op::linear_cross_entropy, x);
  if (x.rank() != 2) bad_shape(op::linear_cross_entropy, "x", x.shape(), "(M, C)");
  const int64_t rows = x.size(0);
  if (!(target.shape() == Shape{rows})) bad_shape(op::linear_cross_entropy, "target", target.shape(), Shape{rows}.str());
  const int64_t* id = target.data<int64_t>();
  const int64_t piece = std::max<int64_t>(kPieceElements / std::max<int64_t>(weight.rows(), 1), 1);
  double sum = 0;
  int64_t counted = 0;
  for (int64_t row = 0; row < rows; row += piece) {
    const int64_t end = std::min(row + piece, rows);
    const Tensor loss = cross_entropy(linear(x.rows(row, end), weight), target.rows(row, end),
                                      {.label_smoothing = 0, .ignore_index = options.ignore, .reduction = Reduction::sum});
    sum += static_cast<double>(loss.item());
    counted += std::count_if(id + row, id + end, [&](int64_t t) { return t != options.ignore; });
  }
  return Tensor::scalar(counted > 0 ? static_cast<float>(sum / static_cast<double>(counted)) : 0.0f);
}

}  // namespace danlu
