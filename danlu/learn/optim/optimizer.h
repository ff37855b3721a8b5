// Optimisers.
//
//   optim::AdamW optimizer(model.parameters(), {.lr = 1e-3});
//   optimizer.zero_grad();
//   backward(loss);
//   optimizer.step();
//
// Every parameter has moments of its own, and t counts updates from 1. Weight decay applies to weights of two axes and more;
// biases and the scales of norms are left alone.
// A step is one pass over flat buffers (parameter_store.h). A thread updates the same rows of every weight whose product and whose
// gradient it computes (kernels/small_gemm.h), so that it finds them in its own cache.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "danlu/base/options.h"
#include "danlu/learn/optim/parameter_store.h"

namespace danlu::optim {

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  void zero_grad() { store_.zero_grad(); }
  // Updates the parameters. The gradient is multiplied by grad_scale on the way.
  void step(float grad_scale = 1.0f);

  double lr() const { return lr_; }
  void set_lr(double lr) { lr_ = lr; }
  int64_t num_steps() const { return t_; }
  ParameterStore& store() { return store_; }

  // For checkpoints: the moments by name, the optimiser's own buffers and not copies; and the counter.
  const std::vector<std::pair<std::string, Tensor>>& moments() const { return moments_; }
  void set_num_steps(int64_t steps) { t_ = steps; }

 protected:
  Optimizer(std::vector<Tensor> parameters, double lr) : store_(std::move(parameters)), lr_(lr) {}
  // Some elements of the flat buffers; moments in the order of add_moment(), or null.
  struct Slice {
    int64_t size;
    float* values;
    const float* gradients;
    std::array<float*, 2> moments;
    float lr, grad_scale;
    bool decays;
  };
  // Called on several threads at once, for different elements.
  virtual void update(const Slice& slice) const = 0;
  // A zeroed buffer beside the parameters, saved under this name; at most two.
  void add_moment(const std::string& name);

 private:
  ParameterStore store_;
  double lr_;
  int64_t t_ = 0;
  std::vector<std::pair<std::string, Tensor>> moments_;
};

// p -= lr * g, with momentum m = momentum * m + g as PyTorch defines it. `weight_decay` adds weight_decay * p to g.
struct SgdOptions {
  double lr = 0.1;
  double momentum = 0;
  bool nesterov = false;
  double weight_decay = 0;
  void describe(OptionVisitor& v);
};
class Sgd : public Optimizer {
 public:
  explicit Sgd(std::vector<Tensor> parameters, const SgdOptions& options = {});

 protected:
  void update(const Slice& slice) const override;

 private:
  SgdOptions options_;
};

// Source: Kingma, Ba 2015, arXiv:1412.6980. `weight_decay` adds weight_decay * p to g (L2).
struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;
  void describe(OptionVisitor& v);
};
class Adam : public Optimizer {
 public:
  explicit Adam(std::vector<Tensor> parameters, const AdamOptions& options = {}) : Adam(std::move(parameters), options, false) {}

 protected:
  Adam(std::vector<Tensor> parameters, const AdamOptions& options, bool decoupled);
  void update(const Slice& slice) const override;

 private:
  AdamOptions options_;
  bool decoupled_;
};

// Adam with decay apart from the gradient: p *= 1 - lr * weight_decay. Source: Loshchilov, Hutter 2019, arXiv:1711.05101.
struct AdamWOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.01;
  void describe(OptionVisitor& v);
};
class AdamW : public Adam {
 public:
  explicit AdamW(std::vector<Tensor> parameters, const AdamWOptions& options = {})
      : Adam(std::move(parameters), {options.lr, options.beta1, options.beta2, options.eps, options.weight_decay}, true) {}
};

// Source: Duchi, Hazan, Singer 2011.
struct AdagradOptions {
  double lr = 1e-2;
  double eps = 1e-10;
  double weight_decay = 0;
  void describe(OptionVisitor& v);
};
class Adagrad : public Optimizer {
 public:
  explicit Adagrad(std::vector<Tensor> parameters, const AdagradOptions& options = {});

 protected:
  void update(const Slice& slice) const override;

 private:
  AdagradOptions options_;
};

// Source: Tieleman, Hinton 2012, Coursera lecture 6e.
struct RmspropOptions {
  double lr = 1e-2;
  double alpha = 0.99;
  double eps = 1e-8;
  double momentum = 0;
  double weight_decay = 0;
  void describe(OptionVisitor& v);
};
class Rmsprop : public Optimizer {
 public:
  explicit Rmsprop(std::vector<Tensor> parameters, const RmspropOptions& options = {});

 protected:
  void update(const Slice& slice) const override;

 private:
  RmspropOptions options_;
};

// An optimiser as a recipe names it: {"type": "adamw", "lr": 1e-3}, or just "adamw".
struct OptimizerConfig {
  std::string type;
  Json resolved;  // every option, defaults included
  std::function<std::unique_ptr<Optimizer>(std::vector<Tensor>)> make;
};
// Throws ConfigError for an unknown type or option; `prefix` is the key path for the message.
OptimizerConfig parse_optimizer(const Json& json, const Locate& locate = {}, const std::string& prefix = "optimizer");

}  // namespace danlu::optim
