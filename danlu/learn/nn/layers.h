// The layers that models are built of. Names, arguments and defaults are PyTorch's; images are (N, H, W, C).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "danlu/engine/ops/conv.h"
#include "danlu/engine/ops/linear.h"
#include "danlu/learn/nn/compact_weight.h"
#include "danlu/learn/nn/module.h"

namespace danlu::nn {

// How the weight of a layer starts (init.h): by what follows the layer.
enum class Init { he, xavier };

// A layer whose result can go through an activation without a pass of its own.
class FusingLayer : public Module {
 public:
  Tensor forward(const Tensor& x) final { return forward(x, Activation::none); }
  virtual Tensor forward(const Tensor& x, Activation activation) = 0;
  virtual bool fuses(Activation /*activation*/) const { return true; }
};

// Stands between a weight and its layer: the layer computes with the weight over its largest singular value, which it then cannot exceed
// in lengthening what passes through it. Training moves the estimate of that value by one power iteration each time.
// Source: Miyato, Kataoka, Koyama, Yoshida 2018, arXiv:1802.05957.
class SpectralNorm : public Module {
 public:
  explicit SpectralNorm(const Tensor& weight);
  Tensor forward(const Tensor& weight) override;
  std::string describe() const override { return "SpectralNorm"; }
  Tensor u, v;  // the vectors of that value, kept from step to step
};

// A layer with a weight that may be normalised, or have another form (compact_weight.h).
class WeightedLayer : public FusingLayer {
 public:
  using FusingLayer::forward;
  Tensor forward(const Tensor& x, Activation activation) final;
  // The result as integers for the layer that follows. For a layer of an Int8Weight, and of an activation that is none or relu.
  virtual Tensor forward_int8(const Tensor& x, Activation activation, kernels::Int8Format result) = 0;

  Tensor weight;  // undefined where there is a compact one
  Tensor bias;    // (outputs), or undefined
  void normalize_weight() { norm_ = add("spectral_norm", SpectralNorm(weight)); }
  bool normalizes_weight() const { return norm_ != nullptr; }

  // The layer computes with that from now on; its tensors become buffers, and the weight is no parameter any more. Sequential::plan()
  // is called by who calls this.
  void set_compact_weight(std::shared_ptr<const CompactWeight> compact);
  const CompactWeight* compact_weight() const { return compact_.get(); }
  const Shape& weight_shape() const { return compact_ ? compact_->shape() : weight.shape(); }
  // Called with every input; none to end that.
  void watch_inputs(std::function<void(const Tensor& x)> watcher) { watcher_ = std::move(watcher); }

 protected:
  virtual Tensor compute(const Tensor& x, Activation activation) = 0;
  // What the layer computes with.
  Tensor effective_weight() { return norm_ ? norm_->forward(weight) : weight; }
  std::string form() const;  // ", int8" for describe()

 private:
  std::shared_ptr<SpectralNorm> norm_;
  std::shared_ptr<const CompactWeight> compact_;
  std::function<void(const Tensor& x)> watcher_;
};

// The layer with its weight normalised: spectral_norm(nn::Conv2d(1, 64, 4)).
template <class Layer>
Layer spectral_norm(Layer layer) {
  layer.normalize_weight();
  return layer;
}

// y = x W^T + b; x: (..., in), y: (..., out), weight (out, in). The bias starts at zero.
class Linear : public WeightedLayer {
 public:
  Linear(int64_t in, int64_t out, bool bias = true, Init init = Init::he);
  Tensor forward_int8(const Tensor& x, Activation activation, kernels::Int8Format result) override;
  std::string describe() const override;

 private:
  Tensor compute(const Tensor& x, Activation activation) override;
};

struct Conv2dLayerOptions {
  Size2d stride = 1;
  Size2d padding = 0;
  Size2d dilation = 1;
  int64_t groups = 1;
  bool bias = true;
};

// weight (filters, in / groups, kh, kw)
class Conv2d : public WeightedLayer {
 public:
  Conv2d(int64_t in_channels, int64_t filters, Size2d kernel, const Conv2dLayerOptions& options = {});
  Tensor forward_int8(const Tensor& x, Activation activation, kernels::Int8Format result) override;
  std::string describe() const override;

 private:
  Tensor compute(const Tensor& x, Activation activation) override;
  Conv2dOptions with(Activation activation) const;
  Conv2dOptions options_;
};

struct ConvTranspose2dLayerOptions {
  Size2d stride = 1;
  Size2d padding = 0;
  Size2d output_padding = 0;
  bool bias = true;
};

// Makes images larger by its stride.
class ConvTranspose2d : public FusingLayer {
 public:
  ConvTranspose2d(int64_t in_channels, int64_t out_channels, Size2d kernel, const ConvTranspose2dLayerOptions& options = {});
  using FusingLayer::forward;
  Tensor forward(const Tensor& x, Activation activation) override;
  std::string describe() const override;
  Tensor weight;  // (in, out, kh, kw)
  Tensor bias;    // (out), or undefined

 private:
  ConvTranspose2dOptions options_;
};

class MaxPool2d : public Module {
 public:
  explicit MaxPool2d(Size2d kernel);  // stride = kernel
  MaxPool2d(Size2d kernel, Size2d stride, Size2d padding = 0);
  Tensor forward(const Tensor& x) override;
  std::string describe() const override;

 private:
  Tensor max_pool2d_u8(const Tensor& x) const;
  Size2d kernel_, stride_, padding_;
};

class AvgPool2d : public Module {
 public:
  explicit AvgPool2d(Size2d kernel);
  AvgPool2d(Size2d kernel, Size2d stride, Size2d padding = 0);
  Tensor forward(const Tensor& x) override;
  std::string describe() const override;

 private:
  Size2d kernel_, stride_, padding_;
};

// The mean over the whole image: (N, H, W, C) to (N, C).
class GlobalAvgPool : public Module {
 public:
  Tensor forward(const Tensor& x) override;
  std::string describe() const override { return "GlobalAvgPool"; }
};

// Over the last axis, so for (N, C) and (N, H, W, C) alike.
class BatchNorm : public FusingLayer {
 public:
  explicit BatchNorm(int64_t features, float eps = 1e-5f, float momentum = 0.1f);
  using FusingLayer::forward;
  Tensor forward(const Tensor& x, Activation activation) override;
  // With what follows it in the same pass: a sum, and leaky ReLU (0: ReLU; 1: none).
  Tensor forward(const Tensor& x, float negative_slope, const Tensor& residual = {});
  bool fuses(Activation activation) const override { return activation == Activation::relu || activation == Activation::leaky_relu; }
  std::string describe() const override;
  Tensor weight, bias;
  Tensor running_mean, running_var;
  float eps() const { return eps_; }

 private:
  float eps_, momentum_;
};

class LayerNorm : public Module {
 public:
  explicit LayerNorm(int64_t features, float eps = 1e-5f);
  Tensor forward(const Tensor& x) override;
  std::string describe() const override;
  Tensor weight, bias;

 private:
  float eps_;
};

class Dropout : public Module {
 public:
  explicit Dropout(float p = 0.5f);
  Tensor forward(const Tensor& x) override;
  std::string describe() const override;

 private:
  float p_;
};

// (N, ...) to (N, product of the rest). For images the features come in (H, W, C) order.
class Flatten : public Module {
 public:
  Tensor forward(const Tensor& x) override;
  std::string describe() const override { return "Flatten"; }
};

// (N, product of the shape) to (N, ...shape): the way back.
class Unflatten : public Module {
 public:
  explicit Unflatten(const Shape& shape) : shape_(shape) {}
  Tensor forward(const Tensor& x) override;
  std::string describe() const override;

 private:
  Shape shape_;
};

// A function without parameters: "relu", "leaky_relu", "sigmoid", "tanh", "gelu", "silu", "identity".
class ActivationLayer : public Module {
 public:
  // Throws ConfigError naming the nearest for an unknown name.
  explicit ActivationLayer(const std::string& name);
  Tensor forward(const Tensor& x) override { return function_(x); }
  std::string describe() const override;
  // The same function for fusion with a product, or Activation::none if it cannot be.
  Activation fused() const { return fused_; }
  static const std::vector<std::string>& names();

 private:
  std::string name_;
  Tensor (*function_)(const Tensor&);
  Activation fused_;
};

struct ReLU : ActivationLayer { ReLU() : ActivationLayer("relu") {} };
struct LeakyReLU : ActivationLayer { LeakyReLU() : ActivationLayer("leaky_relu") {} };
struct Sigmoid : ActivationLayer { Sigmoid() : ActivationLayer("sigmoid") {} };
struct Tanh : ActivationLayer { Tanh() : ActivationLayer("tanh") {} };
struct GELU : ActivationLayer { GELU() : ActivationLayer("gelu") {} };
struct SiLU : ActivationLayer { SiLU() : ActivationLayer("silu") {} };

// One module after the other. Where two neighbours make one faster operation with the same result, it is taken:
// a product or a batch norm with its activation, and max pooling before ReLU instead of after (equal, on a quarter of the elements).
// Layers of 8-bit integers hand these to each other, through pooling and flattening.
class Sequential : public Module {
 public:
  Sequential() = default;
  template <class... Modules>
  explicit Sequential(Modules... modules) {
    (append(std::move(modules)), ...);
  }
  template <class M>
  void append(M module) {
    append(std::static_pointer_cast<Module>(std::make_shared<M>(std::move(module))));
  }
  // Under a name of its own, or its number.
  template <class M>
  void append(std::string name, M module) {
    append(std::move(name), std::static_pointer_cast<Module>(std::make_shared<M>(std::move(module))));
  }
  void append(std::shared_ptr<Module> module) { append(std::to_string(size()), std::move(module)); }
  void append(std::string name, std::shared_ptr<Module> module);
  Tensor forward(const Tensor& x) override;
  std::string describe() const override;
  size_t size() const { return children().size(); }
  void plan();  // anew, after a layer's weight has taken another form

 private:
  // One step of forward: a module, perhaps with the activation of its successor.
  struct Step {
    Module* module;
    std::string name;
    FusingLayer* fusing = nullptr;  // set if `activation` is fused into it
    Activation activation = Activation::none;
    std::optional<kernels::Int8Format> result = {};  // set if it is handed on as integers
  };
  void plan_integers();
  std::vector<Step> steps_;
};

}  // namespace danlu::nn
