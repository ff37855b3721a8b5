#include "danlu/learn/train/make_optimizer.h"

#include <algorithm>
#include <iterator>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/learn/nn/freeze.h"

namespace danlu::train {

std::unique_ptr<optim::Optimizer> make_optimizer(const nn::Module& model, const std::vector<Tensor>& parameters, const TrainOptions& options) {
  std::vector<nn::NamedTensor> learning = model.named_parameters();
  for (const auto& [part, scale] : options.lr_scale.items()) {
    if (std::none_of(learning.begin(), learning.end(), [&](const nn::NamedTensor& p) { return nn::is_within(p.name, part); })) {
      throw ConfigError("learn.train", fmt::format("train.lr_scale: got \"{}\"; expected a part of the model that has parameters, like \"{}\"", part,
                                                   learning.empty() ? "" : learning.back().name));
    }
  }
  const auto is_in_model = [all = learning](const Tensor& t) { return std::any_of(all.begin(), all.end(), [&](const nn::NamedTensor& p) { return t.same(p.tensor); }); };
  std::erase_if(learning, [&](const nn::NamedTensor& p) {
    const bool asked = std::any_of(parameters.begin(), parameters.end(), [&](const Tensor& t) { return t.same(p.tensor); });
    return !asked || !p.tensor.requires_grad();
  });
  std::vector<Tensor> tensors;
  for (const nn::NamedTensor& p : learning) tensors.push_back(p.tensor);
  std::copy_if(parameters.begin(), parameters.end(), std::back_inserter(tensors), [&](const Tensor& t) { return !is_in_model(t); });
  auto optimizer = optim::parse_optimizer(options.optimizer).make(std::move(tensors));
  for (const nn::NamedTensor& p : learning) {
    std::string nearest;  // the longest name decides
    for (const auto& [part, scale] : options.lr_scale.items()) {
      if (nn::is_within(p.name, part) && part.size() > nearest.size()) nearest = part;
    }
    if (!nearest.empty()) optimizer->store().set_lr_scale(p.tensor, options.lr_scale[nearest].get<double>());
  }
  return optimizer;
}

}  // namespace danlu::train
