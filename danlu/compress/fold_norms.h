// A batch norm behind a linear layer or a convolution, taken into its weight and bias: in evaluation it is a scale and a shift of each
// output, so that the layer can do both. Integers then go from layer to layer without it.
// Source: Jacob et al. 2018, arXiv:1712.05877, section 3.2.
#pragma once

#include <memory>

#include "danlu/base/json.h"
#include "danlu/engine/tensor/shape.h"
#include "danlu/learn/nn/module.h"

namespace danlu::compress {

struct Folded {
  Json config;  // of the model, without those norms
  std::unique_ptr<nn::Module> model;
};

// Of an mlp or a cnn, which was made by `config`; an empty model where there is nothing to fold.
Folded fold_norms(const nn::Module& model, const Json& config, const Shape& input, int64_t outputs);

}  // namespace danlu::compress
