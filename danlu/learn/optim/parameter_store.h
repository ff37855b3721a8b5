// All parameters in one buffer, all gradients in another.
//
// Clearing gradients, clipping, an optimiser step and a checkpoint are then single passes over memory instead of one for each
// tensor. The tensors of the modules become views of the buffer; nothing else changes for them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "danlu/engine/tensor/tensor.h"

namespace danlu::optim {

class ParameterStore {
 public:
  // Moves the elements of the parameters, each starting on 64 bytes, and points the tensors at them. Throws ConfigError if
  // one is given twice or needs no gradient.
  explicit ParameterStore(std::vector<Tensor> parameters);
  ParameterStore(const ParameterStore&) = delete;
  ParameterStore& operator=(const ParameterStore&) = delete;

  // Weights of two axes and more come first, then biases and scales: weight decay is for the first part only.
  int64_t decayed() const { return decayed_; }
  int64_t size() const { return values_.numel(); }

  // Elements [begin, end) of the buffers: each weight by itself, then all the rest.
  struct Part {
    int64_t begin, end;
    bool decays;
    float lr_scale;
  };
  const std::vector<Part>& parts() const { return parts_; }
  // A parameter that learns faster, or slower, than the others. InternalError if it is none of these.
  void set_lr_scale(const Tensor& parameter, double scale);

  Tensor& values() { return values_; }
  // After this every gradient is up to date: those that nothing contributed to since zero_grad() are zero.
  Tensor& gradients();

  // Marks all gradients as stale; the next backward overwrites them.
  void zero_grad();

 private:
  void divide();
  std::vector<Tensor> parameters_;  // in the order of the buffer
  std::vector<float> lr_scales_;
  std::vector<Part> parts_;
  Tensor values_, gradients_;
  int64_t decayed_ = 0;
};

}  // namespace danlu::optim
