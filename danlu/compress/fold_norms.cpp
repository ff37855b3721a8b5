#include "danlu/compress/fold_norms.h"

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/nn/layers.h"

namespace danlu::compress {
namespace {

constexpr const char* kWhere = "compress.fold_norms";

void copy_all(const nn::Module& from, const nn::Module& to) {
  const auto copy = [](const std::vector<nn::NamedTensor>& sources, std::vector<nn::NamedTensor> targets) {
    if (sources.size() != targets.size()) throw InternalError(kWhere, "a layer without its norm has other tensors");
    for (size_t i = 0; i < sources.size(); ++i) targets[i].tensor.copy_from(sources[i].tensor);
  };
  copy(from.named_parameters(), to.named_parameters());
  copy(from.named_buffers(), to.named_buffers());
}

void fold(const nn::WeightedLayer& layer, const nn::BatchNorm& norm, nn::WeightedLayer& into) {
  const int64_t outputs = layer.weight.size(0), inputs = layer.weight.shape().inner(0);
  for (int64_t j = 0; j < outputs; ++j) {
    const double scale = static_cast<double>(norm.weight.data()[j]) / std::sqrt(static_cast<double>(norm.running_var.data()[j]) + static_cast<double>(norm.eps()));
    for (int64_t i = j * inputs; i < (j + 1) * inputs; ++i) into.weight.mutable_data()[i] = static_cast<float>(scale * static_cast<double>(layer.weight.data()[i]));
    const double bias = layer.bias.defined() ? static_cast<double>(layer.bias.data()[j]) : 0;
    into.bias.mutable_data()[j] = static_cast<float>(scale * (bias - static_cast<double>(norm.running_mean.data()[j])) + static_cast<double>(norm.bias.data()[j]));
  }
}

// Without the norms behind convolutions and linear layers, which have a bias in their place.
Json without_norms(const Json& config) {
  Json json = config;
  if (config.at("type") == "mlp") {
    json["batch_norm"] = false;
    return json;
  }
  Json layers = Json::array();
  for (const Json& layer : config.at("layers")) {
    const bool behind = !layers.empty() && layers.back().is_object() && (layers.back().contains("conv") || layers.back().contains("linear"));
    if (layer != "batch_norm" || !behind) {
      layers.push_back(layer);
    } else if (layers.back().contains("conv") && layers.back()["conv"].is_object()) {
      layers.back()["conv"].erase("bias");
    }
  }
  json["layers"] = layers;
  return json;
}

}  // namespace

Folded fold_norms(const nn::Module& model, const Json& config, const Shape& input, int64_t outputs) {
  const auto* chain = dynamic_cast<const nn::Sequential*>(&model);
  const std::string type = config.value("type", "");
  if (chain == nullptr || (type != "mlp" && type != "cnn")) return {config, nullptr};
  Folded folded{without_norms(config), nullptr};
  if (folded.config == config) return folded;
  folded.model = models::parse_model(folded.config).make(input, outputs);
  const auto &from = model.children(), &to = folded.model->children();
  size_t at = 0;
  for (size_t i = 0; i < from.size(); ++i, ++at) {
    const auto* layer = dynamic_cast<const nn::WeightedLayer*>(from[i].second.get());
    const auto* norm = i + 1 < from.size() ? dynamic_cast<const nn::BatchNorm*>(from[i + 1].second.get()) : nullptr;
    if (at >= to.size()) throw InternalError(kWhere, "a model without its norms has other layers");
    if (layer != nullptr && norm != nullptr) {
      fold(*layer, *norm, dynamic_cast<nn::WeightedLayer&>(*to[at].second));
      ++i;
    } else {
      copy_all(*from[i].second, *to[at].second);
    }
  }
  folded.model->eval();
  return folded;
}

}  // namespace danlu::compress
