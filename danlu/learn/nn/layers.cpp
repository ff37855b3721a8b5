#include "danlu/learn/nn/layers.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/options.h"
#include "danlu/engine/autograd/layer_scope.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/pool.h"
#include "danlu/engine/ops/dropout.h"
#include "danlu/engine/ops/elementwise.h"
#include "danlu/engine/ops/movement.h"
#include "danlu/engine/ops/norm.h"
#include "danlu/engine/ops/pool.h"
#include "danlu/engine/ops/reduce.h"
#include "danlu/engine/ops/spectral_norm.h"
#include "danlu/learn/nn/init.h"

namespace danlu::nn {
namespace {

std::string size_text(Size2d s) {
  return s.height == s.width ? std::to_string(s.height) : fmt::format("({}, {})", s.height, s.width);
}

Tensor start(const Shape& shape, Init init) {
  Tensor weight = Tensor::empty(shape);
  if (init == Init::he) {
    he_normal(weight);
  } else {
    xavier_uniform(weight);
  }
  return weight;
}

void require_positive(const char* layer, std::initializer_list<int64_t> sizes) {
  for (const int64_t size : sizes) {
    if (size < 1) throw ConfigError("learn.nn", fmt::format("{}: got a size of {}; expected >= 1", layer, size));
  }
}

}  // namespace

SpectralNorm::SpectralNorm(const Tensor& weight) {
  constexpr int64_t kFirstIterations = 15;
  u = Tensor::empty({weight.size(0)});
  v = Tensor::empty({weight.shape().inner(0)});
  normal(v, 1);
  const NoGrad no_grad;
  danlu::spectral_norm(weight, u, v, kFirstIterations);
  u = add_buffer("u", u);
  v = add_buffer("v", v);
}
Tensor SpectralNorm::forward(const Tensor& weight) { return danlu::spectral_norm(weight, u, v, is_training() ? 1 : 0); }

Tensor WeightedLayer::forward(const Tensor& x, Activation activation) {
  if (watcher_) watcher_(x);
  return compute(x, activation);
}

void WeightedLayer::set_compact_weight(std::shared_ptr<const CompactWeight> compact) {
  compact_ = std::move(compact);
  replace_parameter("weight", compact_->tensors());
  weight = {};
}

std::string WeightedLayer::form() const { return compact_ ? fmt::format(", {}", compact_->name()) : normalizes_weight() ? ", spectral_norm" : ""; }

namespace {

const Int8Weight& int8_of(const CompactWeight* compact) {
  const auto* weight = dynamic_cast<const Int8Weight*>(compact);
  if (weight == nullptr) throw InternalError("learn.nn", "integers were asked of a layer whose weight is of none");
  return *weight;
}

}  // namespace

Linear::Linear(int64_t in, int64_t out, bool with_bias, Init init) {
  require_positive("Linear", {in, out});
  weight = add_parameter("weight", start({out, in}, init));
  if (with_bias) bias = add_parameter("bias", Tensor::zeros({out}));
}

Tensor Linear::compute(const Tensor& x, Activation activation) {
  return compact_weight() != nullptr ? compact_weight()->linear(x, bias, activation) : linear(x, effective_weight(), bias, activation);
}

Tensor Linear::forward_int8(const Tensor& x, Activation activation, kernels::Int8Format result) {
  return int8_of(compact_weight()).linear(x, bias, activation == Activation::relu ? kernels::Int8Activation::relu : kernels::Int8Activation::none, result);
}

std::string Linear::describe() const {
  return fmt::format("Linear({}, {}{}{})", weight_shape()[1], weight_shape()[0], bias.defined() ? "" : ", bias=false", form());
}

Conv2d::Conv2d(int64_t in_channels, int64_t filters, Size2d kernel, const Conv2dLayerOptions& o)
    : options_{o.stride, o.padding, o.dilation, o.groups, Activation::none} {
  require_positive("Conv2d", {in_channels, filters, kernel.height, kernel.width, o.groups, o.stride.height, o.stride.width,
                              o.dilation.height, o.dilation.width});
  if (in_channels % o.groups != 0 || filters % o.groups != 0) {
    throw ConfigError("learn.nn", fmt::format("Conv2d: got groups {} for {} channels and {} filters; expected a divisor of both",
                                              o.groups, in_channels, filters));
  }
  weight = add_parameter("weight", start({filters, in_channels / o.groups, kernel.height, kernel.width}, Init::he));
  if (o.bias) bias = add_parameter("bias", Tensor::zeros({filters}));
}

Conv2dOptions Conv2d::with(Activation activation) const {
  Conv2dOptions options = options_;
  options.activation = activation;
  return options;
}

Tensor Conv2d::compute(const Tensor& x, Activation activation) {
  return compact_weight() != nullptr ? compact_weight()->conv2d(x, bias, with(activation)) : conv2d(x, effective_weight(), bias, with(activation));
}

Tensor Conv2d::forward_int8(const Tensor& x, Activation activation, kernels::Int8Format result) {
  return int8_of(compact_weight()).conv2d(x, bias, with(activation), result);
}

std::string Conv2d::describe() const {
  const Shape& shape = weight_shape();
  std::string text = fmt::format("Conv2d({}, {}, kernel={}", shape[1] * options_.groups, shape[0], size_text({shape[2], shape[3]}));
  const auto mention = [&](const char* name, Size2d value, int64_t usual) {
    if (value.height != usual || value.width != usual) text += fmt::format(", {}={}", name, size_text(value));
  };
  mention("stride", options_.stride, 1);
  mention("padding", options_.padding, 0);
  mention("dilation", options_.dilation, 1);
  mention("groups", options_.groups, 1);
  return text + (bias.defined() ? "" : ", bias=false") + form() + ")";
}

ConvTranspose2d::ConvTranspose2d(int64_t in_channels, int64_t out_channels, Size2d kernel, const ConvTranspose2dLayerOptions& o)
    : options_{.stride = o.stride, .padding = o.padding, .output_padding = o.output_padding} {
  require_positive("ConvTranspose2d", {in_channels, out_channels, kernel.height, kernel.width, o.stride.height, o.stride.width});
  weight = Tensor::empty({in_channels, out_channels, kernel.height, kernel.width});
  // So many products add up in a pixel.
  const int64_t fan_in = std::max<int64_t>(in_channels * kernel.height * kernel.width / (o.stride.height * o.stride.width), 1);
  normal(weight, std::sqrt(2.0 / static_cast<double>(fan_in)));
  weight = add_parameter("weight", weight);
  if (o.bias) bias = add_parameter("bias", Tensor::zeros({out_channels}));
}

Tensor ConvTranspose2d::forward(const Tensor& x, Activation activation) {
  ConvTranspose2dOptions options = options_;
  options.activation = activation;
  return conv_transpose2d(x, weight, bias, options);
}

std::string ConvTranspose2d::describe() const {
  return fmt::format("ConvTranspose2d({}, {}, kernel={}, stride={}, padding={}{})", weight.size(0), weight.size(1),
                     size_text({weight.size(2), weight.size(3)}), size_text(options_.stride), size_text(options_.padding), bias.defined() ? "" : ", bias=false");
}

MaxPool2d::MaxPool2d(Size2d kernel) : MaxPool2d(kernel, kernel) {}
MaxPool2d::MaxPool2d(Size2d kernel, Size2d stride, Size2d padding) : kernel_(kernel), stride_(stride), padding_(padding) {}
Tensor MaxPool2d::forward(const Tensor& x) {
  if (x.dtype() == Dtype::u8) return max_pool2d_u8(x);
  return max_pool2d(x, {.kernel = kernel_, .stride = stride_, .padding = padding_});
}
// Between layers of integers, whose Sequential has seen to the shapes.
Tensor MaxPool2d::max_pool2d_u8(const Tensor& x) const {
  const kernels::Pool2dShape s{x.size(0),      x.size(1),      x.size(2),       x.size(3),       kernel_.height, kernel_.width,
                               stride_.height, stride_.width,  padding_.height, padding_.width};
  Tensor y = Tensor::empty({s.batch, s.out_height(), s.out_width(), s.channels}, Dtype::u8);
  kernels::max_pool2d_u8(s, x.data<uint8_t>(), y.mutable_data<uint8_t>());
  return y;
}
std::string MaxPool2d::describe() const { return fmt::format("MaxPool2d({}, stride={})", size_text(kernel_), size_text(stride_)); }

AvgPool2d::AvgPool2d(Size2d kernel) : AvgPool2d(kernel, kernel) {}
AvgPool2d::AvgPool2d(Size2d kernel, Size2d stride, Size2d padding) : kernel_(kernel), stride_(stride), padding_(padding) {}
Tensor AvgPool2d::forward(const Tensor& x) {
  return avg_pool2d(x, {.kernel = kernel_, .stride = stride_, .padding = padding_});
}
std::string AvgPool2d::describe() const { return fmt::format("AvgPool2d({}, stride={})", size_text(kernel_), size_text(stride_)); }

Tensor GlobalAvgPool::forward(const Tensor& x) {
  if (x.rank() != 4) throw ShapeError("learn.nn", fmt::format("GlobalAvgPool: got {}; expected (N, H, W, C)", x.shape().str()));
  return mean(reshape(x, {x.size(0), x.size(1) * x.size(2), x.size(3)}), 1);
}

BatchNorm::BatchNorm(int64_t features, float eps, float momentum) : eps_(eps), momentum_(momentum) {
  require_positive("BatchNorm", {features});
  weight = add_parameter("weight", Tensor::full({features}, 1.0f));
  bias = add_parameter("bias", Tensor::zeros({features}));
  running_mean = add_buffer("running_mean", Tensor::zeros({features}));
  running_var = add_buffer("running_var", Tensor::full({features}, 1.0f));
}
Tensor BatchNorm::forward(const Tensor& x, Activation activation) {
  const bool active = activation != Activation::none;
  return forward(x, !active ? 1.0f : activation == Activation::relu ? 0.0f : kernels::kLeakySlope);
}
Tensor BatchNorm::forward(const Tensor& x, float negative_slope, const Tensor& residual) {
  return batch_norm(x, weight, bias, running_mean, running_var,
                    {.training = is_training(), .momentum = momentum_, .eps = eps_, .negative_slope = negative_slope}, residual);
}
std::string BatchNorm::describe() const { return fmt::format("BatchNorm({})", weight.numel()); }

LayerNorm::LayerNorm(int64_t features, float eps) : eps_(eps) {
  require_positive("LayerNorm", {features});
  weight = add_parameter("weight", Tensor::full({features}, 1.0f));
  bias = add_parameter("bias", Tensor::zeros({features}));
}
Tensor LayerNorm::forward(const Tensor& x) { return layer_norm(x, weight, bias, eps_); }
std::string LayerNorm::describe() const { return fmt::format("LayerNorm({})", weight.numel()); }

Dropout::Dropout(float p) : p_(p) {
  if (!(p >= 0 && p < 1)) throw ConfigError("learn.nn", fmt::format("Dropout: got p = {}; expected a number in [0, 1)", p));
}
Tensor Dropout::forward(const Tensor& x) { return is_training() && p_ > 0 ? dropout(x, p_) : x; }
std::string Dropout::describe() const { return fmt::format("Dropout({})", p_); }

Tensor Unflatten::forward(const Tensor& x) { return reshape(x, shape_.insert(0, x.size(0))); }
std::string Unflatten::describe() const { return "Unflatten" + shape_.str(); }

Tensor Flatten::forward(const Tensor& x) { return x.rank() == 2 ? x : reshape(x, {x.size(0), x.shape().inner(0)}); }

namespace {

struct NamedFunction {
  const char* name;
  const char* title;
  Tensor (*function)(const Tensor&);
  Activation fused;
};

Tensor identity(const Tensor& x) { return x; }

constexpr NamedFunction kFunctions[] = {
    {"relu", "ReLU", relu, Activation::relu},   {"leaky_relu", "LeakyReLU", leaky_relu, Activation::leaky_relu},
    {"sigmoid", "Sigmoid", sigmoid, Activation::sigmoid},
    {"tanh", "Tanh", tanh, Activation::tanh},   {"gelu", "GELU", gelu, Activation::none},
    {"silu", "SiLU", silu, Activation::none},   {"identity", "Identity", identity, Activation::none}};

const NamedFunction& find_function(const std::string& name) {
  for (const NamedFunction& f : kFunctions) {
    if (name == f.name) return f;
  }
  throw ConfigError("learn.nn", fmt::format("got activation \"{}\"; expected one of {}{}", name,
                                            fmt::join(ActivationLayer::names(), ", "), did_you_mean(name, ActivationLayer::names())));
}

}  // namespace

const std::vector<std::string>& ActivationLayer::names() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> list;
    for (const NamedFunction& f : kFunctions) list.emplace_back(f.name);
    return list;
  }();
  return all;
}

ActivationLayer::ActivationLayer(const std::string& name) : name_(name) {
  const NamedFunction& f = find_function(name);
  function_ = f.function;
  fused_ = f.fused;
}

std::string ActivationLayer::describe() const { return find_function(name_).title; }

void Sequential::append(std::string name, std::shared_ptr<Module> module) {
  add_child(std::move(name), std::move(module));
  plan();
}

void Sequential::plan() {
  std::vector<Module*> order;
  std::vector<std::string> names;
  for (const auto& [name, child] : children()) {
    order.push_back(child.get());
    names.push_back(name);
  }
  const auto is_relu = [](Module* m) {
    const auto* activation = dynamic_cast<ActivationLayer*>(m);
    return activation != nullptr && activation->fused() == Activation::relu;
  };
  // max(relu(a), relu(b)) = relu(max(a, b)), and their gradients are the same too.
  for (size_t i = 0; i + 1 < order.size(); ++i) {
    const auto* layer = i > 0 ? dynamic_cast<WeightedLayer*>(order[i - 1]) : nullptr;
    const bool at_no_cost = i > 0 && (dynamic_cast<BatchNorm*>(order[i - 1]) != nullptr || (layer != nullptr && layer->compact_weight() != nullptr));
    if (is_relu(order[i]) && !at_no_cost && dynamic_cast<MaxPool2d*>(order[i + 1]) != nullptr) {
      std::swap(order[i], order[i + 1]);
      std::swap(names[i], names[i + 1]);
    }
  }
  steps_.clear();
  for (size_t i = 0; i < order.size(); ++i) {
    Step step{order[i], names[i]};
    const auto* next = i + 1 < order.size() ? dynamic_cast<ActivationLayer*>(order[i + 1]) : nullptr;
    if (next != nullptr && next->fused() != Activation::none) {
      auto* fusing = dynamic_cast<FusingLayer*>(order[i]);
      if (fusing != nullptr && fusing->fuses(next->fused())) {
        step.fusing = fusing;
        step.activation = next->fused();
        ++i;
      }
    }
    steps_.push_back(step);
  }
  plan_integers();
}

// Where a layer of integers follows another and nothing is between them but what keeps the order of numbers.
void Sequential::plan_integers() {
  const auto int8_of_step = [](const Step& step) -> const Int8Weight* {
    const auto* layer = dynamic_cast<WeightedLayer*>(step.module);
    return layer != nullptr ? dynamic_cast<const Int8Weight*>(layer->compact_weight()) : nullptr;
  };
  for (size_t i = 0; i < steps_.size(); ++i) {
    Step& step = steps_[i];
    const bool relu = step.activation == Activation::relu;
    if (int8_of_step(step) == nullptr || (!relu && step.activation != Activation::none)) continue;
    size_t j = i + 1;
    bool pools = false;
    for (; j < steps_.size(); ++j) {
      const bool pooling = dynamic_cast<MaxPool2d*>(steps_[j].module) != nullptr;
      pools = pools || pooling;
      if (!pooling && dynamic_cast<Flatten*>(steps_[j].module) == nullptr && dynamic_cast<Dropout*>(steps_[j].module) == nullptr) break;
    }
    const Int8Weight* next = j < steps_.size() ? int8_of_step(steps_[j]) : nullptr;
    // What is never negative fits unsigned integers, of which alone the largest are taken in pooling.
    if (next != nullptr && (relu || next->input().is_signed) && !(pools && next->input().is_signed)) step.result = next->input();
  }
}

Tensor Sequential::forward(const Tensor& input) {
  Tensor x = input;
  for (const Step& step : steps_) {
    const LayerScope scope(step.name);
    if (step.result) x = static_cast<WeightedLayer*>(step.module)->forward_int8(x, step.activation, *step.result);
    else x = step.fusing != nullptr ? step.fusing->forward(x, step.activation) : step.module->forward(x);
  }
  return x;
}

std::string Sequential::describe() const {
  std::string text = "Sequential(";
  for (size_t i = 0; i < size(); ++i) text += (i > 0 ? ", " : "") + children()[i].second->describe();
  return text + ")";
}

}  // namespace danlu::nn
