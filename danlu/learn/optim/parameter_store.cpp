#include "danlu/learn/optim/parameter_store.h"

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::optim {
namespace {

constexpr int64_t kAlignment = 16;  // elements: 64 bytes

int64_t padded(int64_t n) { return (n + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

ParameterStore::ParameterStore(std::vector<Tensor> parameters) : parameters_(std::move(parameters)) {
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (!parameters_[i].requires_grad()) {
      throw ConfigError("learn.optim", fmt::format("parameter {} of shape {} does not require a gradient", i, parameters_[i].shape().str()));
    }
    for (size_t j = 0; j < i; ++j) {
      if (parameters_[i].same(parameters_[j])) throw ConfigError("learn.optim", fmt::format("parameters {} and {} are the same tensor", j, i));
    }
  }
  std::stable_partition(parameters_.begin(), parameters_.end(), [](const Tensor& p) { return p.rank() >= 2; });
  lr_scales_.assign(parameters_.size(), 1.0f);
  divide();
  const int64_t total = parts_.empty() ? 0 : parts_.back().end;
  // The padding between parameters is zero and stays zero: its gradient is.
  values_ = Tensor::zeros({total});
  gradients_ = Tensor::zeros({total});
  int64_t offset = 0;
  for (Tensor& p : parameters_) {
    Tensor home = values_.rows(offset, offset + p.numel()).view(p.shape());
    home.copy_from(p);
    p.rebase(home);
    p.set_grad(gradients_.rows(offset, offset + p.numel()).view(p.shape()));
    p.zero_grad();
    offset += padded(p.numel());
  }
}

void ParameterStore::divide() {
  parts_.clear();
  int64_t end = 0;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const int64_t begin = end;
    end += padded(parameters_[i].numel());
    const bool decays = parameters_[i].rank() >= 2;
    if (decays) decayed_ = end;
    if (!decays && !parts_.empty() && !parts_.back().decays && parts_.back().lr_scale == lr_scales_[i]) parts_.back().end = end;
    else parts_.push_back({begin, end, decays, lr_scales_[i]});
  }
}

void ParameterStore::set_lr_scale(const Tensor& parameter, double scale) {
  const auto found = std::find_if(parameters_.begin(), parameters_.end(), [&](const Tensor& p) { return p.same(parameter); });
  if (found == parameters_.end()) throw InternalError("learn.optim", fmt::format("a tensor of shape {} is none of the parameters", parameter.shape().str()));
  lr_scales_[static_cast<size_t>(found - parameters_.begin())] = static_cast<float>(scale);
  divide();
}

Tensor& ParameterStore::gradients() {
  for (const Tensor& p : parameters_) p.grad();  // fills a stale one with zeros
  return gradients_;
}

void ParameterStore::zero_grad() {
  for (Tensor& p : parameters_) p.zero_grad();
}

}  // namespace danlu::optim
