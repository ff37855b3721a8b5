// Blocks of attention and feed-forward in which every position sees every other (or those before it alone), with the norm in front of each branch and one behind all.
// Source    Vaswani et al. 2017, arXiv:1706.03762; norms in front: Xiong et al. 2020, arXiv:2002.04745.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "danlu/learn/nn/layers.h"

namespace danlu::nn {

struct TransformerEncoderOptions {
  int64_t layers = 2, heads = 4, width = 128;
  int64_t hidden = 0;   // of the feed-forward layer; 0: 4 width
  int64_t head_dim = 0;  // 0: width / heads
  double dropout = 0.1;  // of each branch
  bool causal = false;   // no position sees those behind it
};

class TransformerEncoder : public Module {
 public:
  explicit TransformerEncoder(const TransformerEncoderOptions& options);
  // x and the result: (N, T, width).
  Tensor forward(const Tensor& x) override { return forward(x, {}); }
  // `first` i64 (N, T), as in attention: padding that stands before first[n, t] is not seen.
  Tensor forward(const Tensor& x, const Tensor& first);
  std::string describe() const override;

 private:
  struct Block {
    std::shared_ptr<LayerNorm> attention_norm;
    std::shared_ptr<Linear> qkv, projection;
    std::shared_ptr<LayerNorm> ffn_norm;
    std::shared_ptr<Linear> up, down;
  };
  void add_branch(const LayerNorm& norm, const Tensor& branch, Tensor& x, Tensor& normalized) const;

  TransformerEncoderOptions options_;
  std::vector<Block> blocks_;
  std::shared_ptr<LayerNorm> norm_;
};

}  // namespace danlu::nn
