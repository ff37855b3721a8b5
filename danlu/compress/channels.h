// Whole units taken away: of each hidden layer of a perceptron, of each convolution of a CNN, those whose weights are smallest. What is
// left is a smaller model of the same kind, faster on any processor and by any program, which has to learn again for a while.
// Source: Li et al. 2017, arXiv:1608.08710 (filters by the sum of their weights' magnitudes).
#pragma once

#include <memory>

#include "danlu/base/json.h"
#include "danlu/engine/tensor/shape.h"
#include "danlu/learn/nn/module.h"

namespace danlu::compress {

struct Narrowed {
  Json config;  // of the model, as ModelConfig::resolved
  std::unique_ptr<nn::Module> model;
};

// `model` was made by `config` for samples of the shape `input`. At least one unit of each layer stays. Throws ConfigError for models that
// are no mlp and no cnn, and for convolutions in groups.
Narrowed take_channels(const nn::Module& model, const Json& config, const Shape& input, int64_t outputs, double share);

}  // namespace danlu::compress
