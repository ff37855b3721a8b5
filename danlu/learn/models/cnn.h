// Convolutional network: layers listed in the recipe, one after the other.
//
//   model:
//     type: cnn
//     layers:
//       - conv: {filters: 32, kernel: 3, padding: 1}
//       - batch_norm
//       - relu
//       - max_pool: 2
//       - flatten
//       - linear: 128
//       - relu
//       - dropout: 0.5
//
// The last layer, with one output for each class, is added; it is not listed. An image that has not been flattened (or
// averaged by global_avg_pool) by then is flattened.
#pragma once

#include <memory>
#include <string>

#include "danlu/base/options.h"
#include "danlu/learn/nn/module.h"

namespace danlu::models {

struct CnnOptions {
  // A list of words and one-key groups; empty: two blocks of conv, relu and max_pool (32 and 64 filters) and linear 128.
  Json layers = Json::array();
  void describe(OptionVisitor& v);
};

// What an empty list stands for.
Json default_cnn_layers();

// Checks the list without an input: ConfigError names the entry ("model.layers[3].conv: ...").
void check_cnn(const CnnOptions& options, const Locate& locate, const std::string& prefix);

// Throws ConfigError naming the layer that the image has become too small for.
std::unique_ptr<nn::Module> make_cnn(const CnnOptions& options, const Shape& input, int64_t outputs);

}  // namespace danlu::models
