#include "danlu/compress/channels.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/compress/pick.h"
#include "danlu/learn/models/cnn.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/nn/layers.h"

namespace danlu::compress {
namespace {

constexpr const char* kWhere = "compress.channels";

// The outputs of a layer with the largest weights, in their order.
Indexes largest_outputs(const Tensor& weight, int64_t count) {
  const int64_t outputs = weight.size(0), inputs = weight.numel() / outputs;
  std::vector<double> size(static_cast<size_t>(outputs));
  for (int64_t i = 0; i < weight.numel(); ++i) size[static_cast<size_t>(i / inputs)] += std::abs(static_cast<double>(weight.data()[i]));
  return largest(size, count);
}

// Follows what is kept from layer to layer; the tensors of the smaller model, by name, and its widths.
class Chain {
 public:
  Chain(const nn::Sequential& model, double share) {
    const auto& layers = model.children();
    size_t last = 0;
    for (size_t i = 0; i < layers.size(); ++i) {
      if (dynamic_cast<const nn::WeightedLayer*>(layers[i].second.get()) != nullptr) last = i;
    }
    for (size_t i = 0; i < layers.size(); ++i) {
      const std::string prefix = layers[i].first + ".";
      if (const auto* layer = dynamic_cast<const nn::WeightedLayer*>(layers[i].second.get())) narrow(prefix, *layer, i == last ? 0 : share);
      else if (const auto* norm = dynamic_cast<const nn::BatchNorm*>(layers[i].second.get())) narrow(prefix, *norm);
    }
  }
  std::map<std::string, Tensor> tensors;
  std::vector<int64_t> widths;  // of each hidden layer

 private:
  void narrow(const std::string& prefix, const nn::WeightedLayer& layer, double share) {
    if (layer.compact_weight() != nullptr) throw ConfigError(kWhere, fmt::format("layer {}: has a compressed weight; expected a model as it was trained", prefix));
    Tensor weight = layer.weight;
    if (!kept_.empty()) weight = pick(weight, 1, inputs_of(prefix, weight));
    const int64_t outputs = weight.size(0), count = std::max<int64_t>(1, outputs - std::llround(share * static_cast<double>(outputs)));
    kept_ = largest_outputs(weight, count);
    tensors[prefix + "weight"] = pick(weight, 0, kept_);
    if (layer.bias.defined()) tensors[prefix + "bias"] = pick(layer.bias, 0, kept_);
    before_ = outputs;
    widths.push_back(count);
  }

  void narrow(const std::string& prefix, const nn::BatchNorm& norm) {
    if (kept_.empty()) return;
    tensors[prefix + "weight"] = pick(norm.weight, 0, kept_);
    tensors[prefix + "bias"] = pick(norm.bias, 0, kept_);
    tensors[prefix + "running_mean"] = pick(norm.running_mean, 0, kept_);
    tensors[prefix + "running_var"] = pick(norm.running_var, 0, kept_);
  }

  // The inputs of the next layer that are left: channels, or those of every pixel where images have been flattened.
  Indexes inputs_of(const std::string& prefix, const Tensor& weight) const {
    const int64_t inputs = weight.size(1), pixels = inputs / before_;
    if (inputs % before_ != 0 || (weight.rank() == 4 && pixels != 1)) {
      throw ConfigError(kWhere, fmt::format("layer {}: takes {} inputs from {} channels; expected as many (convolutions in groups are not narrowed)", prefix, inputs, before_));
    }
    Indexes rows;
    for (int64_t pixel = 0; pixel < pixels; ++pixel) {
      for (const int64_t channel : kept_) rows.push_back(pixel * before_ + channel);
    }
    return rows;
  }

  Indexes kept_;        // outputs of the layer before; empty: all of the model's inputs
  int64_t before_ = 0;  // outputs that it had
};

Json narrowed_config(const Json& config, const std::vector<int64_t>& widths) {
  Json json = config;
  if (config.at("type") == "mlp") {
    json["hidden"] = std::vector<int64_t>(widths.begin(), widths.end() - 1);
    return json;
  }
  if (json["layers"].empty()) json["layers"] = models::default_cnn_layers();
  size_t next = 0;
  for (Json& layer : json["layers"]) {
    if (!layer.is_object()) continue;
    for (const auto& [word, option] : std::vector<std::pair<const char*, const char*>>{{"conv", "filters"}, {"linear", "features"}}) {
      if (!layer.contains(word)) continue;
      if (layer[word].is_object()) layer[word][option] = widths.at(next++);
      else layer[word] = widths.at(next++);
    }
  }
  return json;
}

void refuse_groups(const Json& config) {
  for (const Json& layer : config.value("layers", Json::array())) {
    if (layer.is_object() && layer.contains("conv") && layer["conv"].is_object() && layer["conv"].value("groups", int64_t{1}) != 1) {
      throw ConfigError(kWhere, "channels: got a convolution in groups; expected groups: 1");
    }
  }
}

}  // namespace

Narrowed take_channels(const nn::Module& model, const Json& config, const Shape& input, int64_t outputs, double share) {
  const std::string type = config.value("type", "");
  const auto* chain = dynamic_cast<const nn::Sequential*>(&model);
  if ((type != "mlp" && type != "cnn") || chain == nullptr) {
    throw ConfigError(kWhere, fmt::format("channels: got the model {}{}; expected mlp or cnn", type, chain == nullptr && type == "mlp" ? " of several members" : ""));
  }
  refuse_groups(config);
  const Chain narrowed(*chain, share);
  if (narrowed.widths.size() < 2) throw ConfigError(kWhere, "channels: got a model without a hidden layer; there is nothing to take away");
  Narrowed result{narrowed_config(config, narrowed.widths), nullptr};
  result.model = models::parse_model(result.config).make(input, outputs);
  for (const auto& all : {result.model->named_parameters(), result.model->named_buffers()}) {
    for (const nn::NamedTensor& t : all) {
      Tensor target = t.tensor;
      target.copy_from(narrowed.tensors.at(t.name));
    }
  }
  return result;
}

}  // namespace danlu::compress
