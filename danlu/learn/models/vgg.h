// VGG: stages of 3 x 3 convolutions with batch norm, each with max pooling behind it, then a hidden layer.
//
//   model: {type: vgg, width: 32, blocks: [1, 2, 2], hidden: 256}
//
// Source    Simonyan, Zisserman 2014, arXiv:1409.1556; the batch norm came later (Ioffe, Szegedy 2015).
#pragma once

#include <memory>
#include <vector>

#include "danlu/base/options.h"
#include "danlu/learn/nn/module.h"

namespace danlu::models {

struct VggOptions {
  int64_t width = 32;
  std::vector<int64_t> blocks = {1, 2, 2};
  int64_t hidden = 128;
  double dropout = 0.3;
  void describe(OptionVisitor& v);
};

// Throws ConfigError for samples that are no images, or too small to be halved so often.
std::unique_ptr<nn::Module> make_vgg(const VggOptions& options, const Shape& input, int64_t outputs);

}  // namespace danlu::models
