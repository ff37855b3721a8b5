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
  int64_t total = 0;
  for (const Tensor& p : parameters_) {
    const int64_t begin = total;
    total += padded(p.numel());
    if (p.rank() < 2) continue;
    decayed_ = total;
    parts_.push_back({begin, total, true});
  }
  if (total > decayed_) parts_.push_back({decayed_, total, false});
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

Tensor& ParameterStore::gradients() {
  for (const Tensor& p : parameters_) p.grad();  // fills a stale one with zeros
  return gradients_;
}

void ParameterStore::zero_grad() {
  for (Tensor& p : parameters_) p.zero_grad();
}

}  // namespace danlu::optim
