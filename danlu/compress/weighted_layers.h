// The layers of a model whose weights are compressed: linear layers and convolutions.
#pragma once

#include <string>
#include <vector>

#include "danlu/learn/nn/layers.h"

namespace danlu::compress {

struct NamedLayer {
  std::string name;  // "encoder.blocks.0.qkv"
  nn::WeightedLayer* layer;
};

// In the order of registration; those with a normalised weight are left out.
std::vector<NamedLayer> weighted_layers(nn::Module& model);

// The steps of every Sequential anew, after weights have taken another form.
void plan_again(nn::Module& model);

}  // namespace danlu::compress
