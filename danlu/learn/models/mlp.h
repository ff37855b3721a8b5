// Multi-layer perceptron: linear layers with an activation between, for rows of numbers (an image is flattened).
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
  void describe(OptionVisitor& v);
};

std::unique_ptr<nn::Module> make_mlp(const MlpOptions& options, const Shape& input, int64_t outputs);

}  // namespace danlu::models
