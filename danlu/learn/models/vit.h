// Vision Transformer: an image is cut into square patches, which are read as a text is: embedded, with learned positions, by a Transformer
// encoder whose outputs are averaged for the head.
//
//   model: {type: vit, patch: 4, layers: 4, heads: 4, width: 128}
//
// Source    Dosovitskiy et al. 2020, arXiv:2010.11929; the mean in the place of a class token: Beyer et al. 2022, arXiv:2205.01580.
#pragma once

#include <memory>

#include "danlu/base/options.h"
#include "danlu/learn/nn/module.h"

namespace danlu::models {

struct VitOptions {
  int64_t patch = 4;
  int64_t layers = 4;
  int64_t heads = 4;
  int64_t width = 128;
  int64_t hidden = 0;
  int64_t head_dim = 0;
  double dropout = 0.1;
  void describe(OptionVisitor& v);
};

// Throws ConfigError for a width that the heads do not divide.
void check_vit(const VitOptions& options, const Locate& locate, const std::string& prefix);
// Throws ConfigError for samples that are no images, or that patches do not divide.
std::unique_ptr<nn::Module> make_vit(const VitOptions& options, const Shape& input, int64_t outputs);

}  // namespace danlu::models
