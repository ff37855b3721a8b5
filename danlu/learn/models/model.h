// Models as recipes name them, and the table of those that exist.
//
//   {"type": "mlp", "hidden": [64, 32]}  with inputs of shape (30) and one output  ->  an nn::Module
//
// Every model maps a batch (N, ...) to raw outputs (N, outputs): logits or values, never probabilities.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "danlu/base/options.h"
#include "danlu/learn/nn/module.h"

namespace danlu::models {

struct ModelConfig {
  std::string type;
  Json resolved;  // every option, defaults included: with it the same network can be made again
  // `input` is the shape of one sample: (F) for a table row, (H, W, C) for an image, (T) for tokens or n-grams, of which `outputs` is the
  // number of kinds. Throws ConfigError if the network cannot take it, naming the layer.
  std::function<std::unique_ptr<nn::Module>(const Shape& input, int64_t outputs)> make;
};

// Throws ConfigError for an unknown type or option; `prefix` is the key path for the message.
ModelConfig parse_model(const Json& json, const Locate& locate = {}, const std::string& prefix = "model");

// Names of all models, for help and messages.
const std::vector<std::string>& model_types();
// Does a model of that type say something of a text?
bool reads_text(const std::string& type);
// And does it by n-grams rather than by the tokens of a tokeniser?
bool reads_ngrams(const std::string& type);

// One line a layer: name, what it is, output shape for a batch of one, parameters; and the total.
std::string summary(nn::Module& model, const Shape& input);

}  // namespace danlu::models
