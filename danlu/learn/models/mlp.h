// Multi-layer perceptron: linear layers with an activation between, for rows of numbers (an image is flattened).
//
// With `members` it is that many perceptrons side by side, which start from other weights and drop other units. Each learns by its own
// answers, (M N, outputs) while it trains; the answer is their mean. What single ones overfit averages out, which on small tables is worth
// more than a larger network. Source: Gorishniy et al. 2024, "TabM", arXiv:2410.24210, whose members also share most weights.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "danlu/base/options.h"
#include "danlu/learn/nn/module.h"

namespace danlu::models {

struct MlpOptions {
  std::vector<int64_t> hidden = {64, 32};
  std::string activation = "relu";
  double dropout = 0;
  bool batch_norm = false;
  int64_t members = 1;
  void describe(OptionVisitor& v);
};

std::unique_ptr<nn::Module> make_mlp(const MlpOptions& options, const Shape& input, int64_t outputs);

}  // namespace danlu::models
