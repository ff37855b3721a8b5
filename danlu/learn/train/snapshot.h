// A copy of some tensors, to go back to.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "danlu/engine/tensor/tensor.h"
#include "danlu/learn/nn/module.h"

namespace danlu::train {

class Snapshot {
 public:
  explicit Snapshot(std::vector<nn::NamedTensor> tensors) : tensors_(std::move(tensors)) {}
  void take() {
    for (size_t i = 0; i < tensors_.size(); ++i) {
      const Tensor& from = tensors_[i].tensor;
      if (i == copies_.size()) copies_.push_back(Tensor::empty(from.shape(), from.dtype()));
      copies_[i].copy_from(from);
    }
  }
  void restore() {
    for (size_t i = 0; i < copies_.size(); ++i) tensors_[i].tensor.copy_from(copies_[i]);
  }
  bool taken() const { return !copies_.empty(); }
  // The copies themselves, for a checkpoint; none before take().
  std::vector<nn::NamedTensor> named(const std::string& prefix) const {
    std::vector<nn::NamedTensor> all;
    for (size_t i = 0; i < copies_.size(); ++i) all.push_back({prefix + tensors_[i].name, copies_[i]});
    return all;
  }

 private:
  std::vector<nn::NamedTensor> tensors_;
  std::vector<Tensor> copies_;
};

}  // namespace danlu::train
