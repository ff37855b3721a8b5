// The Transformer encoder with a head: for classes and numbers of texts.
//
//   tokens i64 (N, T), padded with 0    embedding + learned positions, blocks of attention and feed-forward with the norm in front of
//   each branch, mean over the tokens, head
//
// Every token sees every other and no padding. Of texts without labels it learns by telling hidden tokens: masked_encoder.h.
// Source    Vaswani et al. 2017, arXiv:1706.03762; norms in front: Xiong et al. 2020, arXiv:2002.04745.
#pragma once

#include <memory>

#include "danlu/base/options.h"
#include "danlu/learn/nn/module.h"

namespace danlu::models {

struct EncoderOptions {
  int64_t vocab_size = 0;  // a recipe takes it from the tokeniser
  int64_t layers = 2;
  int64_t heads = 4;
  int64_t width = 128;
  int64_t hidden = 0;  // of the feed-forward layer; 0: 4 width
  int64_t head_dim = 0;
  double dropout = 0.1;
  void describe(OptionVisitor& v);
};

// Throws ConfigError for sizes that do not divide.
void check_encoder(const EncoderOptions& options, const Locate& locate = {}, const std::string& prefix = "model");
// Throws ConfigError for input that is no text, and without a vocabulary.
void require_text(const EncoderOptions& options, const Shape& input);
std::unique_ptr<nn::Module> make_encoder(const EncoderOptions& options, const Shape& input, int64_t outputs);

}  // namespace danlu::models
