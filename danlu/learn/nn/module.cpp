#include "danlu/learn/nn/module.h"

namespace danlu::nn {

template <class Visit>
void Module::visit(const std::string& prefix, const Visit& visitor) const {
  visitor(prefix, *this);
  for (const auto& [name, child] : children_) child->visit(prefix + name + ".", visitor);
}

std::vector<NamedTensor> Module::named_parameters() const {
  std::vector<NamedTensor> all;
  visit("", [&](const std::string& prefix, const Module& module) {
    for (const NamedTensor& p : module.parameters_) all.push_back({prefix + p.name, p.tensor});
  });
  return all;
}

std::vector<NamedTensor> Module::named_buffers() const {
  std::vector<NamedTensor> all;
  visit("", [&](const std::string& prefix, const Module& module) {
    for (const NamedTensor& b : module.buffers_) all.push_back({prefix + b.name, b.tensor});
  });
  return all;
}

std::vector<Tensor> Module::parameters() const {
  std::vector<Tensor> all;
  for (NamedTensor& p : named_parameters()) all.push_back(std::move(p.tensor));
  return all;
}

int64_t Module::num_parameters() const {
  int64_t count = 0;
  for (const Tensor& p : parameters()) count += p.numel();
  return count;
}

void Module::train(bool on) {
  training_ = on && !frozen_;
  for (const auto& [name, child] : children_) child->train(on);
}

Tensor Module::add_parameter(std::string name, Tensor tensor) {
  tensor.set_requires_grad();
  parameters_.push_back({std::move(name), tensor});
  return tensor;
}

Tensor Module::add_buffer(std::string name, Tensor tensor) {
  buffers_.push_back({std::move(name), tensor});
  return tensor;
}

void Module::replace_parameter(const std::string& name, const std::vector<NamedTensor>& buffers) {
  std::erase_if(parameters_, [&](const NamedTensor& parameter) { return parameter.name == name; });
  buffers_.insert(buffers_.end(), buffers.begin(), buffers.end());
}

void Module::add_child(std::string name, std::shared_ptr<Module> child) {
  children_.emplace_back(std::move(name), std::move(child));
}

}  // namespace danlu::nn
