#include "danlu/learn/nn/compact_weight.h"

#include <bit>
#include <cmath>
#include <functional>
#include <mutex>
#include <numeric>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/kernels/sparse_linear.h"
#include "danlu/engine/ops/activation_gradient.h"
#include "danlu/learn/nn/layers.h"

namespace danlu::nn {
namespace {

constexpr const char* kWhere = "learn.compact_weight";
constexpr int kZero = 128;  // of stored integers

[[noreturn]] void refuse(const std::string& what) { throw DataError(kWhere, what); }

void require(const Tensor& tensor, const char* name, const Shape& shape, Dtype dtype) {
  if (tensor.dtype() == dtype && tensor.shape() == shape) return;
  refuse(fmt::format("{}: got {} {}; expected {} {}", name, dtype_name(tensor.dtype()), tensor.shape().str(), dtype_name(dtype), shape.str()));
}

// From the least to the largest number of an input, which has zero in it.
kernels::Int8Format format_of(const Tensor& range) {
  const float low = range.data()[0], high = range.data()[1];
  if (!std::isfinite(low) || !std::isfinite(high) || low > 0 || high < 0) refuse(fmt::format("input_range: got {} to {}; expected two finite numbers around zero", low, high));
  const bool is_signed = low < 0;
  const float scale = is_signed ? std::max(-low, high) / 127 : high / 255;
  return {std::isnormal(scale) ? scale : 1.0f, is_signed};  // of an input that is always zero
}

kernels::Conv2dShape shape_of(const Tensor& x, const Shape& weight, const Conv2dOptions& o) {
  const kernels::Conv2dShape s{x.rank() == 4 ? x.size(0) : 0, x.rank() == 4 ? x.size(1) : 0, x.rank() == 4 ? x.size(2) : 0, weight[1] * o.groups, weight[0],
                               weight[2], weight[3], o.stride.height, o.stride.width, o.padding.height, o.padding.width, o.dilation.height, o.dilation.width, o.groups};
  if (x.rank() != 4 || x.size(3) != s.channels || s.out_height() < 1 || s.out_width() < 1) {
    throw ShapeError(kWhere, fmt::format("conv2d: got x {}; expected (N, H, W, {}) no smaller than the kernel {}", x.shape().str(), s.channels, weight.str()));
  }
  return s;
}

void require_width(const Tensor& x, int64_t k) {
  if (x.rank() < 1 || x.size(-1) != k) throw ShapeError(kWhere, fmt::format("linear: got x {}; expected (..., {})", x.shape().str(), k));
}

}  // namespace

// ---- 8-bit integers -------------------------------------------------------------------------------------------------------

// Made when a bias and a shape are known.
struct Int8Weight::Prepared {
  std::once_flag once;
  std::unique_ptr<kernels::Int8Product> product;
};

Int8Weight::Int8Weight(const Tensor& weight, const Tensor& scale, const Tensor& range)
    : tensors_{{"weight_int8", weight}, {"weight_scale", scale}, {"input_range", range}}, prepared_(std::make_unique<Prepared>()) {
  require(weight, "weight_int8", weight.shape(), Dtype::u8);
  if (weight.rank() != 2 && weight.rank() != 4) refuse(fmt::format("weight_int8: got {}; expected that of a linear layer or a convolution", weight.shape().str()));
  require(scale, "weight_scale", {weight.size(0)}, Dtype::f32);
  require(range, "input_range", {2}, Dtype::f32);
  for (const float s : scale.span()) {
    if (!std::isnormal(s) || s < 0) refuse(fmt::format("weight_scale: got {}; expected finite numbers above 0", s));
  }
  input_ = format_of(range);
}
Int8Weight::~Int8Weight() = default;

const kernels::Int8Product& Int8Weight::product(const Tensor& bias, const kernels::Conv2dShape* shape) const {
  std::call_once(prepared_->once, [&] {
    std::vector<int8_t> w;
    for (const uint8_t q : tensors_[0].tensor.span<uint8_t>()) w.push_back(static_cast<int8_t>(q - kZero));
    const float* b = bias.defined() ? bias.data() : nullptr;
    const std::span<const float> scales = tensors_[1].tensor.span();
    if (shape != nullptr) prepared_->product = std::make_unique<kernels::Int8Product>(w.data(), scales, b, *shape, input_);
    else prepared_->product = std::make_unique<kernels::Int8Product>(w.data(), scales, b, tensors_[0].tensor.size(1), input_);
  });
  return *prepared_->product;
}

Tensor Int8Weight::rounded(const Tensor& x) const {
  if (x.dtype() == Dtype::u8) return x;
  Tensor q = Tensor::empty(x.shape(), Dtype::u8);
  kernels::quantize(x.data(), q.mutable_raw_bytes(), x.numel(), input_);
  return q;
}

namespace {

using kernels::Int8Activation;

// What the product does itself; the rest is done behind it.
Int8Activation fused(Activation activation) { return activation == Activation::relu ? Int8Activation::relu : Int8Activation::none; }

Shape images_of(const kernels::Conv2dShape& s) { return {s.batch, s.out_height(), s.out_width(), s.filters}; }

}  // namespace

Tensor Int8Weight::linear(const Tensor& x, const Tensor& bias, Activation activation) const {
  require_width(x, shape()[1]);
  Tensor y = Tensor::empty(x.shape().with(-1, shape()[0]));
  product(bias, nullptr).linear(rounded(x).raw_bytes(), x.shape().outer(-1), fused(activation), {y.mutable_data()});
  if (activation != Activation::relu) activate(activation, y);
  return y;
}

Tensor Int8Weight::linear(const Tensor& x, const Tensor& bias, Int8Activation activation, kernels::Int8Format format) const {
  require_width(x, shape()[1]);
  Tensor y = Tensor::empty(x.shape().with(-1, shape()[0]), Dtype::u8);
  product(bias, nullptr).linear(rounded(x).raw_bytes(), x.shape().outer(-1), activation, {y.mutable_raw_bytes(), format});
  return y;
}

Tensor Int8Weight::conv2d(const Tensor& x, const Tensor& bias, const Conv2dOptions& options) const {
  const kernels::Conv2dShape s = shape_of(x, shape(), options);
  Tensor y = Tensor::empty(images_of(s));
  product(bias, &s).conv2d(s, rounded(x).raw_bytes(), fused(options.activation), {y.mutable_data()});
  if (options.activation != Activation::relu) activate(options.activation, y);
  return y;
}

Tensor Int8Weight::conv2d(const Tensor& x, const Tensor& bias, const Conv2dOptions& options, kernels::Int8Format format) const {
  const kernels::Conv2dShape s = shape_of(x, shape(), options);
  Tensor y = Tensor::empty(images_of(s), Dtype::u8);
  product(bias, &s).conv2d(s, rounded(x).raw_bytes(), fused(options.activation), {y.mutable_raw_bytes(), format});
  return y;
}

// ---- Without the zeros ----------------------------------------------------------------------------------------------------

struct SparseWeight::Prepared {
  kernels::SparseRows rows;
  Tensor dense;  // where that is faster
};

namespace {

// Above this share of weights that are not zero the dense product is faster: docs/log.md, 2026-11-30.
constexpr double kMostFilled = 0.2;

int64_t set_bits(std::span<const uint8_t> mask) {
  return std::accumulate(mask.begin(), mask.end(), int64_t{0}, [](int64_t sum, uint8_t byte) { return sum + std::popcount(byte); });
}

int64_t mask_bytes(const Shape& shape) { return (shape.inner(0) + 7) / 8; }

}  // namespace

SparseWeight::SparseWeight(const Shape& shape, const Tensor& mask, const Tensor& values) : shape_(shape), tensors_{{"weight_mask", mask}, {"weight_values", values}} {
  require(mask, "weight_mask", {shape[0], mask_bytes(shape)}, Dtype::u8);
  require(values, "weight_values", {values.numel()}, Dtype::f32);
  if (set_bits(mask.span<uint8_t>()) != values.numel()) {
    refuse(fmt::format("weight_mask: got {} set bits for {} values; expected one for each", set_bits(mask.span<uint8_t>()), values.numel()));
  }
  const int64_t used = (shape.inner(0) - 1) % 8 + 1;  // bits of the last byte of an output
  for (int64_t j = 0; j < shape[0] && used < 8; ++j) {
    if (mask.data<uint8_t>()[(j + 1) * mask_bytes(shape) - 1] >> used != 0) refuse(fmt::format("weight_mask: got a bit of output {} beyond its {} inputs", j, shape.inner(0)));
  }
  prepare();
}

SparseWeight::SparseWeight(const Tensor& weight) : shape_(weight.shape()) {
  Tensor mask = Tensor::zeros({shape_[0], mask_bytes(shape_)}, Dtype::u8);
  std::vector<float> values;
  const int64_t k = shape_.inner(0);
  for (int64_t i = 0; i < weight.numel(); ++i) {
    if (weight.data()[i] == 0) continue;
    mask.mutable_data<uint8_t>()[i / k * mask_bytes(shape_) + i % k / 8] |= static_cast<uint8_t>(1u << (i % k % 8));
    values.push_back(weight.data()[i]);
  }
  tensors_ = {{"weight_mask", mask}, {"weight_values", Tensor::from({std::ssize(values)}, values)}};
  prepare();
}
SparseWeight::~SparseWeight() = default;

void SparseWeight::prepare() {
  prepared_ = std::make_unique<Prepared>();
  const bool sparse = shape_.rank() == 2 && static_cast<double>(count()) <= kMostFilled * static_cast<double>(shape_.numel());
  if (sparse) prepared_->rows = kernels::sparse_rows(shape_[0], shape_[1], tensors_[0].tensor.span<uint8_t>(), tensors_[1].tensor.span());
  else prepared_->dense = dense();
}

Tensor SparseWeight::dense() const {
  Tensor weight = Tensor::zeros(shape_);
  const kernels::SparseRows rows = kernels::sparse_rows(shape_[0], shape_.inner(0), tensors_[0].tensor.span<uint8_t>(), tensors_[1].tensor.span());
  for (int64_t j = 0; j < rows.n; ++j) {
    for (auto i = static_cast<size_t>(rows.begin[static_cast<size_t>(j)]); i < static_cast<size_t>(rows.begin[static_cast<size_t>(j) + 1]); ++i) {
      weight.mutable_data()[j * rows.k + rows.column[i]] = rows.value[i];
    }
  }
  return weight;
}

Tensor SparseWeight::linear(const Tensor& x, const Tensor& bias, Activation activation) const {
  if (prepared_->dense.defined()) return danlu::linear(x, prepared_->dense, bias, activation);
  require_width(x, shape_[1]);
  Tensor y = Tensor::empty(x.shape().with(-1, shape_[0]));
  kernels::sparse_linear(prepared_->rows, x.data(), bias.defined() ? bias.data() : nullptr, y.mutable_data(), x.shape().outer(-1), activation);
  return y;
}

Tensor SparseWeight::conv2d(const Tensor& x, const Tensor& bias, const Conv2dOptions& options) const { return danlu::conv2d(x, prepared_->dense, bias, options); }

// ---- In a file ------------------------------------------------------------------------------------------------------------

namespace {

std::shared_ptr<const CompactWeight> read_compact(const formats::SafetensorsFile& file, const std::string& prefix, const Shape& shape) {
  if (file.contains(prefix + "weight_int8")) {
    const Tensor weight = file.read(prefix + "weight_int8");
    if (!(weight.shape() == shape)) refuse(fmt::format("weight_int8: got {}; the model has {}", weight.shape().str(), shape.str()));
    return std::make_shared<Int8Weight>(weight, file.read(prefix + "weight_scale"), file.read(prefix + "input_range"));
  }
  if (!file.contains(prefix + "weight_mask")) return nullptr;
  return std::make_shared<SparseWeight>(shape, file.read(prefix + "weight_mask"), file.read(prefix + "weight_values"));
}

void take(Module& module, const std::string& prefix, const formats::SafetensorsFile& file, const std::string& source) {
  if (auto* layer = dynamic_cast<WeightedLayer*>(&module); layer != nullptr && layer->compact_weight() == nullptr) {
    std::shared_ptr<const CompactWeight> compact;
    try {
      compact = read_compact(file, prefix, layer->weight.shape());
    } catch (const DataError& error) {
      if (error.message().find(source) != std::string::npos) throw;
      throw DataError(kWhere, fmt::format("{}: {}{}", source, prefix, error.message()));
    }
    if (compact && layer->normalizes_weight()) throw DataError(kWhere, fmt::format("{}: {}: a layer of a normalised weight has no compact one", source, prefix));
    if (compact) layer->set_compact_weight(std::move(compact));
  }
  for (const auto& [name, child] : module.children()) take(*child, prefix + name + ".", file, source);
  if (auto* sequence = dynamic_cast<Sequential*>(&module)) sequence->plan();
}

}  // namespace

void take_compact_weights(Module& model, const formats::SafetensorsFile& file, const std::string& source) { take(model, "", file, source); }

int64_t count_weights(const Module& model) {
  const std::function<int64_t(const Module&)> compact = [&](const Module& module) {
    const auto* layer = dynamic_cast<const WeightedLayer*>(&module);
    int64_t count = layer != nullptr && layer->compact_weight() != nullptr ? layer->compact_weight()->count() : 0;
    for (const auto& [name, child] : module.children()) count += compact(*child);
    return count;
  };
  return model.num_parameters() + compact(model);
}

int64_t bytes_when_dense(const formats::SafetensorsFile& file) {
  int64_t bytes = 0;
  for (const std::string& name : file.names()) {
    const int64_t numel = file.shape(name).numel();
    if (name.ends_with("weight_int8")) bytes += 4 * numel;
    if (name.ends_with("weight_mask")) bytes += 4 * 8 * numel;
  }
  return bytes;
}

}  // namespace danlu::nn
