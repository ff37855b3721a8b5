// Module: a layer or a network. It owns parameters (learnt), buffers (kept, not learnt: running statistics) and other modules.
//
//   class Residual : public nn::Module {
//    public:
//     explicit Residual(int64_t width) : fc_(add("fc", nn::Linear(width, width))) {}
//     Tensor forward(const Tensor& x) override { return x + relu((*fc_)(x)); }
//    private:
//     std::shared_ptr<nn::Linear> fc_;
//   };
//
// Modules are movable and not copyable; what they own is reached through shared handles, so a moved module stays whole.
// Threads: forward of one module by one thread at a time while training; in evaluation mode inside NoGrad, by any number.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "danlu/engine/tensor/tensor.h"

namespace danlu::nn {

// A parameter or buffer with its path: "layers.0.weight".
struct NamedTensor {
  std::string name;
  Tensor tensor;
};

class Module {
 public:
  Module() = default;
  virtual ~Module() = default;
  Module(Module&&) = default;
  Module& operator=(Module&&) = default;

  virtual Tensor forward(const Tensor& x) = 0;
  Tensor operator()(const Tensor& x) { return forward(x); }

  // In order of registration, own before children's.
  std::vector<NamedTensor> named_parameters() const;
  std::vector<NamedTensor> named_buffers() const;
  std::vector<Tensor> parameters() const;
  int64_t num_parameters() const;

  // Training mode (dropout drops, batch norm uses the batch) or evaluation mode, for this and all inside; a frozen module stays in
  // evaluation mode (freeze.h).
  void train(bool on = true);
  void eval() { train(false); }
  bool is_training() const { return training_; }
  void set_frozen(bool frozen) { frozen_ = frozen; }

  // One line: "Linear(784, 128)".
  virtual std::string describe() const = 0;
  const std::vector<std::pair<std::string, std::shared_ptr<Module>>>& children() const { return children_; }

 protected:
  // Registers and returns the tensor; a parameter then requires a gradient.
  Tensor add_parameter(std::string name, Tensor tensor);
  Tensor add_buffer(std::string name, Tensor tensor);
  // Takes buffers in the place of a parameter, which is none any more.
  void replace_parameter(const std::string& name, const std::vector<NamedTensor>& buffers);
  template <class M>
  std::shared_ptr<M> add(const std::string& name, M module) {
    auto child = std::make_shared<M>(std::move(module));
    add_child(name, child);
    return child;
  }
  void add_child(std::string name, std::shared_ptr<Module> child);

 private:
  template <class Visit>
  void visit(const std::string& prefix, const Visit& visitor) const;
  std::vector<NamedTensor> parameters_;
  std::vector<NamedTensor> buffers_;
  std::vector<std::pair<std::string, std::shared_ptr<Module>>> children_;
  bool training_ = true, frozen_ = false;
};

// Puts a module in evaluation mode and back when the scope ends.
class EvalMode {
 public:
  explicit EvalMode(Module& module) : module_(module), was_training_(module.is_training()) { module.eval(); }
  ~EvalMode() { module_.train(was_training_); }
  EvalMode(const EvalMode&) = delete;
  EvalMode& operator=(const EvalMode&) = delete;

 private:
  Module& module_;
  bool was_training_;
};

// Keeps a module's parameters from receiving gradients until the scope ends: what is computed through it still does.
class Frozen {
 public:
  explicit Frozen(const Module& module) {
    for (Tensor& p : module.parameters()) {
      if (p.requires_grad()) parameters_.push_back(p.set_requires_grad(false));
    }
  }
  ~Frozen() {
    for (Tensor& p : parameters_) p.set_requires_grad(true);
  }
  Frozen(const Frozen&) = delete;
  Frozen& operator=(const Frozen&) = delete;

 private:
  std::vector<Tensor> parameters_;
};

}  // namespace danlu::nn
