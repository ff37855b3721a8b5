// Residual network: each block adds to its input what two convolutions make of it, so that many of them can be trained.
//
//   model: {type: resnet, width: 16, blocks: [3, 3, 3]}      ResNet-20 of the paper's section on small images
//   model: {type: resnet, width: 48, blocks: [1, 1, 1], stem: medium}        a quarter of the arithmetic of the same with stem: small
//   model: {type: resnet, width: 64, blocks: [2, 2, 2, 2], stem: large}      ResNet-18, for photographs of 224 x 224
//
// Each stage but the first halves height and width and doubles the channels; then the mean over the image, and the head.
// Source    He, Zhang, Ren, Sun 2015, arXiv:1512.03385.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "danlu/base/options.h"
#include "danlu/learn/nn/module.h"

namespace danlu::models {

struct ResNetOptions {
  int64_t width = 16;
  std::vector<int64_t> blocks = {2, 2, 2};
  std::string stem = "small";
  double dropout = 0;
  void describe(OptionVisitor& v);
};

// Throws ConfigError for samples that are no images.
std::unique_ptr<nn::Module> make_resnet(const ResNetOptions& options, const Shape& input, int64_t outputs);

}  // namespace danlu::models
