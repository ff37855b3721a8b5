#include "danlu/learn/train/dead_units.h"

#include <algorithm>
#include <numeric>

#include "danlu/learn/nn/layers.h"

namespace danlu::train {

DeadUnits::DeadUnits(const nn::Module& model) {
  add(model, "");
  begin();
}

void DeadUnits::add(const nn::Module& module, const std::string& path) {
  const auto watch = [&](const Tensor& weight) {
    if (weight.requires_grad()) layers_.push_back({path, weight, {}});
  };
  if (const auto* linear = dynamic_cast<const nn::Linear*>(&module)) watch(linear->weight);
  if (const auto* conv = dynamic_cast<const nn::Conv2d*>(&module)) watch(conv->weight);
  for (const auto& [name, child] : module.children()) add(*child, path.empty() ? name : path + "." + name);
}

void DeadUnits::begin() {
  looked_ = false;
  for (Layer& layer : layers_) {
    layer.silent.resize(static_cast<size_t>(layer.weight.shape()[0]));
    std::iota(layer.silent.begin(), layer.silent.end(), int64_t{0});
  }
}

void DeadUnits::look() {
  looked_ = true;
  for (Layer& layer : layers_) {
    if (layer.silent.empty()) continue;
    const Tensor gradient = layer.weight.grad();
    const int64_t width = gradient.numel() / gradient.shape()[0];
    const float* data = gradient.data();
    std::erase_if(layer.silent, [&](int64_t unit) {
      const float* row = data + unit * width;
      return std::any_of(row, row + width, [](float g) { return g != 0; });
    });
  }
}

std::vector<LayerUnits> DeadUnits::count() {
  std::vector<LayerUnits> found;
  for (const Layer& layer : layers_) {
    if (looked_ && !layer.silent.empty()) found.push_back({layer.name, static_cast<int64_t>(layer.silent.size()), layer.weight.shape()[0]});
  }
  begin();
  return found;
}

Json DeadUnits::to_json() const {
  Json silent = Json::array();
  for (const Layer& layer : layers_) silent.push_back(looked_ ? Json(layer.silent) : Json(nullptr));
  return silent;
}

void DeadUnits::restore(const Json& json) {
  for (size_t i = 0; i < layers_.size() && i < json.size(); ++i) {
    if (json[i].is_null()) continue;
    layers_[i].silent = json[i].get<std::vector<int64_t>>();
    std::erase_if(layers_[i].silent, [&](int64_t unit) { return unit < 0 || unit >= layers_[i].weight.shape()[0]; });
    looked_ = true;
  }
}

}  // namespace danlu::train
