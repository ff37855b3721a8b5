// The decoder-only Transformer, in the four shapes that its weights are found in.
//
//   family   positions   norm       feed-forward   biases               query and key norm
//   gpt2     learned     LayerNorm  GELU (tanh)    everywhere           no
//   llama    RoPE        RMSNorm    SwiGLU         none                 no
//   qwen2    RoPE        RMSNorm    SwiGLU         query, key, value    no
//   qwen3    RoPE        RMSNorm    SwiGLU         none                 yes, over each head
//
//   Gpt model({.layers = 4, .heads = 4, .width = 128, .context = 64, .vocab_size = 65});
//   Tensor loss = model.loss(ids, targets);        // mean over the targets that count
//   Tensor logits = model(ids);                    // (N, T, V)
//
// Source    Radford et al. 2019 (GPT-2); Touvron et al. 2023, arXiv:2302.13971 (Llama); Yang et al. 2025, arXiv:2505.09388 (Qwen3).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "danlu/base/options.h"
#include "danlu/engine/ops/quantized_weight.h"
#include "danlu/learn/nn/module.h"

namespace danlu::models {

struct GptOptions {
  std::string family = "llama";
  int64_t layers = 4;
  int64_t heads = 4;
  int64_t kv_heads = 0;   // heads of keys and values, each shared by heads / kv_heads queries; 0: as many as heads
  int64_t width = 128;
  int64_t head_dim = 0;   // 0: width / heads
  int64_t hidden = 0;     // of the feed-forward layer; 0: 4 width, for SwiGLU 8/3 width in steps of 64
  int64_t context = 256;  // the longest sequence
  int64_t vocab_size = 0; // rows of the embedding; a recipe takes it from the tokeniser
  bool tied = true;       // the output head is the embedding
  double dropout = 0;
  double rope_theta = 10000;
  double norm_eps = 1e-5;
  // Llama 3's stretching of low frequencies; factor 1: none.
  double rope_factor = 1, rope_low_freq = 1, rope_high_freq = 4;
  int64_t rope_original_context = 8192;
  void describe(OptionVisitor& v);
};

// Throws ConfigError for sizes that do not divide.
void check_gpt(const GptOptions& options, const Locate& locate = {}, const std::string& prefix = "model");

class Gpt : public nn::Module {
 public:
  // Weights normal with deviation 0.02, those that end a residual branch divided by sqrt(2 layers), from the generator of
  // manual_seed. With `initialize` false they are left at zero, to be loaded.
  explicit Gpt(const GptOptions& options, bool initialize = true);
  // For inference, with weights in few bits in the place of parameters: `find` is asked for each that a linear layer has, "blocks.0.qkv.weight",
  // "head.weight", and "token_embedding", which is the head too if tied; where its answer is undefined there is a parameter. Those are
  // left at zero, to be loaded. In evaluation mode. Throws ShapeError for an answer of another size.
  using FindQuantized = std::function<QuantizedWeight(const std::string& name, int64_t rows, int64_t columns)>;
  Gpt(const GptOptions& options, const FindQuantized& find);
  const std::map<std::string, QuantizedWeight>& quantized_weights() const { return quantized_; }
  // 0 sizes replaced by what they stand for.
  const GptOptions& options() const { return options_; }

  // ids: i64 (N, T) with T <= context; logits: (N, T, V).
  Tensor forward(const Tensor& ids) override;

  // Mean cross-entropy of targets, i64 (N, T), those of kIgnore left out. The logits are never whole in memory.
  // `first`, i64 (N, T) or undefined: the first position of the document that each position belongs to, which it does not
  // look behind.
  Tensor loss(const Tensor& ids, const Tensor& targets, const Tensor& first = {});
  static constexpr int64_t kIgnore = -1;

  // forward in its two halves: the normalised output of the last block, (N, T, width), and the head.
  Tensor hidden(const Tensor& ids, const Tensor& first = {});
  Tensor logits(const Tensor& hidden);

  // The first half for generation with a cache. attend(layer, qkv) answers the attention of one layer, (n, heads head_dim);
  // qkv (n, (heads + 2 kv_heads) head_dim) has positions applied. ids and positions: i64 (n). The result is (n, width).
  using Attend = std::function<Tensor(int64_t layer, const Tensor& qkv)>;
  Tensor hidden(const Tensor& ids, const Tensor& positions, const Attend& attend);

  // Called with the name of a weight and each input that it is about to be multiplied with, (..., in), for calibration.
  using Observe = std::function<void(const std::string& weight, const Tensor& input)>;
  void observe(Observe observe) { observe_ = std::move(observe); }

  std::string describe() const override;

 private:
  struct Norm {
    Tensor weight, bias;
  };
  struct Dense {
    std::string name;  // of the weight
    Tensor weight, bias;
    QuantizedWeight quantized;  // in the place of the weight
  };
  struct Block {
    std::string name;  // "blocks.3"
    Norm attention_norm;
    Dense qkv;
    Norm query_norm, key_norm;
    Dense projection;
    Norm ffn_norm;
    Dense up, down;  // SwiGLU: up holds the gate's rows, then its own
  };
  Gpt(const GptOptions& options, bool initialize, const FindQuantized& find);
  bool is_gpt2() const { return options_.family == "gpt2"; }
  Norm add_norm(const std::string& name, int64_t size);
  Dense add_dense(const std::string& name, int64_t in, int64_t out, bool bias, double deviation, const FindQuantized& find);
  Tensor make_weight(const Shape& shape, double deviation) const;
  Dense make_dense(const std::string& name, int64_t in, int64_t out, double deviation, const FindQuantized& find);
  Tensor apply(const Dense& dense, const Tensor& x) const;

  Tensor embed(const Tensor& ids, const Tensor& positions);
  Tensor query_key_norm(const Block& block, const Tensor& qkv) const;
  Tensor feed_forward(const Block& block, const Tensor& x) const;
  Tensor normalize(const Norm& norm, const Tensor& x) const;
  void add_branch(const Norm& norm, const Tensor& branch, Tensor& x, Tensor& normalized);

  GptOptions options_;
  bool initialize_;
  std::map<std::string, QuantizedWeight> quantized_;
  Observe observe_;
  Dense token_embedding_;
  Tensor position_embedding_;
  std::vector<Block> blocks_;
  Norm final_norm_;
  Dense head_;               // the embedding itself if tied
  Tensor rope_frequencies_;  // (head_dim / 2); undefined for gpt2
};

std::unique_ptr<Gpt> make_gpt(GptOptions options, int64_t vocab_size);

}  // namespace danlu::models
