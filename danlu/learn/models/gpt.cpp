#include "danlu/learn/models/gpt.h"

#include <cmath>
#include <numbers>
#include <utility>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/rng.h"
#include "danlu/engine/autograd/layer_scope.h"
#include "danlu/engine/ops/attention.h"
#include "danlu/engine/ops/dropout.h"
#include "danlu/engine/ops/elementwise.h"
#include "danlu/engine/ops/embedding.h"
#include "danlu/engine/ops/linear.h"
#include "danlu/engine/ops/linear_cross_entropy.h"
#include "danlu/engine/ops/movement.h"
#include "danlu/engine/ops/norm.h"
#include "danlu/engine/ops/random.h"
#include "danlu/engine/ops/rope.h"
#include "danlu/engine/ops/swiglu.h"

namespace danlu::models {
namespace {

constexpr const char* kWhere = "learn.gpt";
constexpr double kDeviation = 0.02;
constexpr int64_t kHiddenStep = 64;

GptOptions complete(GptOptions o) {
  if (o.kv_heads == 0) o.kv_heads = o.heads;
  if (o.head_dim == 0) o.head_dim = o.width / o.heads;
  if (o.hidden == 0) {
    o.hidden = o.family == "gpt2" ? 4 * o.width : (8 * o.width / 3 + kHiddenStep - 1) / kHiddenStep * kHiddenStep;
  }
  return o;
}

// The angle that a pair of channels turns by at each position; Llama 3 slows those that turn less than once in its original context.
// Source: Su et al. 2021, arXiv:2104.09864; the slowing: Llama 3.1's configuration, rope_type "llama3".
Tensor make_rope_frequencies(const GptOptions& o) {
  Tensor frequencies = Tensor::empty({o.head_dim / 2});
  const auto context = static_cast<double>(o.rope_original_context);
  for (int64_t i = 0; i < o.head_dim / 2; ++i) {
    double f = std::pow(o.rope_theta, -2.0 * static_cast<double>(i) / static_cast<double>(o.head_dim));
    if (o.rope_factor != 1) {
      const double turns = context * f / (2 * std::numbers::pi);
      const double smooth = (turns - o.rope_low_freq) / (o.rope_high_freq - o.rope_low_freq);
      const double kept = std::min(1.0, std::max(0.0, smooth));
      f = kept * f + (1 - kept) * f / o.rope_factor;
    }
    frequencies.mutable_data()[i] = static_cast<float>(f);
  }
  return frequencies;
}

Tensor count_to(int64_t n) {
  Tensor positions = Tensor::empty({n}, Dtype::i64);
  for (int64_t i = 0; i < n; ++i) positions.mutable_data<int64_t>()[i] = i;
  return positions;
}

}  // namespace

void GptOptions::describe(OptionVisitor& v) {
  v.choice("family", family, {"gpt2", "llama", "qwen2", "qwen3"}, "whose shape: gpt2 has learned positions, LayerNorm and GELU; the others "
           "RoPE, RMSNorm and SwiGLU");
  v.field("layers", layers, {1, 1000}, "blocks of attention and feed-forward");
  v.field("heads", heads, {1, 4096}, "attention heads");
  v.field("kv_heads", kv_heads, {0, 4096}, "heads of keys and values, shared by groups of queries; 0: as many as heads");
  v.field("width", width, {1, 1e6}, "channels");
  v.field("head_dim", head_dim, {0, 4096}, "channels of a head; 0: width / heads");
  v.field("hidden", hidden, {0, 1e7}, "channels of the feed-forward layer; 0: 4 width (gpt2), 8/3 width (the others)");
  v.field("context", context, {1, 1e7}, "the longest sequence, in tokens");
  v.field("vocab_size", vocab_size, {0, 1e8}, "rows of the embedding; 0: the tokeniser's");
  v.field("tied", tied, "use the embedding as output layer too");
  v.field("dropout", dropout, {0, 0.99}, "fraction dropped of the embedding and of each branch in training");
  v.field("rope_theta", rope_theta, {1, 1e12}, "base of the rotary frequencies");
  v.field("norm_eps", norm_eps, {0, 1}, "added to the variance");
  v.field("rope_factor", rope_factor, {1, 1e6}, "Llama 3's slowing of low rotary frequencies; 1: none");
  v.field("rope_low_freq", rope_low_freq, {0, 1e6}, "turns in the original context below which all of it applies");
  v.field("rope_high_freq", rope_high_freq, {0, 1e6}, "turns from which none of it does");
  v.field("rope_original_context", rope_original_context, {1, 1e9}, "the context that the frequencies were made for");
}

void check_gpt(const GptOptions& given, const Locate& locate, const std::string& prefix) {
  const auto fail = [&](const std::string& key, const std::string& message) {
    const std::string path = prefix.empty() ? key : prefix + "." + key;
    const std::string place = locate ? locate(path) : "";
    throw ConfigError(kWhere, fmt::format("{}{}{}: {}", place, place.empty() ? "" : ": ", path, message));
  };
  if (given.head_dim == 0 && given.width % given.heads != 0) {
    fail("heads", fmt::format("got {} for a width of {}; expected a divisor of it, or head_dim set", given.heads, given.width));
  }
  const GptOptions o = complete(given);
  if (o.kv_heads > o.heads || o.heads % o.kv_heads != 0) {
    fail("kv_heads", fmt::format("got {} for {} heads; expected a divisor of it", o.kv_heads, o.heads));
  }
  if (o.family == "gpt2" && (o.kv_heads != o.heads || o.head_dim * o.heads != o.width)) {
    fail("family", "gpt2 has neither kv_heads nor head_dim of its own; take llama, or leave them out");
  }
  if (o.family != "gpt2" && o.head_dim % 2 != 0) {
    fail("heads", fmt::format("got heads of {} channels; expected an even number, which RoPE turns in pairs", o.head_dim));
  }
  if (o.rope_high_freq <= o.rope_low_freq) {
    fail("rope_high_freq", fmt::format("got {}; expected more than rope_low_freq, {}", o.rope_high_freq, o.rope_low_freq));
  }
}

Gpt::Gpt(const GptOptions& options, bool initialize) : Gpt(options, initialize, {}) {}

Gpt::Gpt(const GptOptions& options, const FindQuantized& find) : Gpt(options, false, find) { eval(); }

Gpt::Gpt(const GptOptions& options, bool initialize, const FindQuantized& find) : options_(complete(options)), initialize_(initialize) {
  check_gpt(options, {}, "gpt");
  const GptOptions& o = options_;
  if (o.vocab_size < 1) throw ConfigError(kWhere, fmt::format("got vocab_size {}; expected at least 1", o.vocab_size));
  const double at_residual = kDeviation / std::sqrt(2.0 * static_cast<double>(o.layers));
  const int64_t attention_width = o.heads * o.head_dim;
  const bool gpt2 = is_gpt2(), qkv_bias = gpt2 || o.family == "qwen2";

  token_embedding_ = make_dense("token_embedding", o.width, o.vocab_size, kDeviation, find);
  if (gpt2) position_embedding_ = add_parameter("position_embedding", make_weight({o.context, o.width}, kDeviation));
  for (int64_t i = 0; i < o.layers; ++i) {
    Block block;
    block.name = fmt::format("blocks.{}", i);
    const std::string name = block.name + ".";
    block.attention_norm = add_norm(name + "attention_norm", o.width);
    block.qkv = add_dense(name + "qkv", o.width, attention_width + 2 * o.kv_heads * o.head_dim, qkv_bias, kDeviation, find);
    if (o.family == "qwen3") {
      block.query_norm = add_norm(name + "query_norm", o.head_dim);
      block.key_norm = add_norm(name + "key_norm", o.head_dim);
    }
    block.projection = add_dense(name + "projection", attention_width, o.width, gpt2, at_residual, find);
    block.ffn_norm = add_norm(name + "ffn_norm", o.width);
    block.up = add_dense(name + "up", o.width, gpt2 ? o.hidden : 2 * o.hidden, gpt2, kDeviation, find);
    block.down = add_dense(name + "down", o.hidden, o.width, gpt2, at_residual, find);
    blocks_.push_back(std::move(block));
  }
  final_norm_ = add_norm("final_norm", o.width);
  head_ = o.tied ? token_embedding_ : make_dense("head.weight", o.width, o.vocab_size, kDeviation, find);
  if (!gpt2) rope_frequencies_ = make_rope_frequencies(o);
}

Tensor Gpt::make_weight(const Shape& shape, double deviation) const {
  if (!initialize_) return Tensor::zeros(shape);
  Tensor weight = Tensor::empty(shape);
  const RandomState draw = next_random();
  Rng rng(draw.seed, draw.offset);
  for (float& w : weight.mutable_span()) w = static_cast<float>(deviation) * rng.normal();
  return weight;
}

// A parameter, unless there is a weight of few bits for it.
Gpt::Dense Gpt::make_dense(const std::string& name, int64_t in, int64_t out, double deviation, const FindQuantized& find) {
  const QuantizedWeight found = find ? find(name, out, in) : QuantizedWeight();
  if (!found.defined()) return {name, add_parameter(name, make_weight({out, in}, deviation)), {}, {}};
  if (found.rows() != out || found.columns() != in) {
    throw ShapeError(kWhere, fmt::format("{}: got a weight of ({}, {}); expected ({}, {})", name, found.rows(), found.columns(), out, in));
  }
  quantized_.emplace(name, found);
  return {name, {}, {}, found};
}

Tensor Gpt::apply(const Dense& dense, const Tensor& x) const {
  if (observe_) observe_(dense.name, x);
  return dense.quantized.defined() ? linear(x, dense.quantized, dense.bias) : linear(x, dense.weight, dense.bias);
}

Gpt::Norm Gpt::add_norm(const std::string& name, int64_t size) {
  Norm norm{add_parameter(name + ".weight", Tensor::full({size}, 1)), {}};
  if (is_gpt2()) norm.bias = add_parameter(name + ".bias", Tensor::zeros({size}));
  return norm;
}

Gpt::Dense Gpt::add_dense(const std::string& name, int64_t in, int64_t out, bool bias, double deviation, const FindQuantized& find) {
  Dense dense = make_dense(name + ".weight", in, out, deviation, find);
  if (bias) dense.bias = add_parameter(name + ".bias", Tensor::zeros({out}));
  return dense;
}

Tensor Gpt::normalize(const Norm& norm, const Tensor& x) const {
  const auto eps = static_cast<float>(options_.norm_eps);
  return is_gpt2() ? layer_norm(x, norm.weight, norm.bias, eps) : rms_norm(x, norm.weight, eps);
}

// x = x + branch, and the norm of that, in one pass.
void Gpt::add_branch(const Norm& norm, const Tensor& branch, Tensor& x, Tensor& normalized) {
  const auto eps = static_cast<float>(options_.norm_eps);
  const auto p = static_cast<float>(options_.dropout);
  const Tensor kept = is_training() && p > 0 ? dropout(branch, p) : branch;
  std::tie(x, normalized) = is_gpt2() ? add_layer_norm(kept, x, norm.weight, norm.bias, eps) : add_rms_norm(kept, x, norm.weight, eps);
}

Tensor Gpt::embed(const Tensor& ids, const Tensor& positions) {
  const Dense& table = token_embedding_;
  Tensor x = table.quantized.defined() ? embedding(ids, table.quantized) : embedding(ids, table.weight);
  if (is_gpt2()) x = x + embedding(positions, position_embedding_);
  const auto p = static_cast<float>(options_.dropout);
  return is_training() && p > 0 ? dropout(x, p) : x;
}

// RMSNorm over each head of the queries and of the keys.
Tensor Gpt::query_key_norm(const Block& block, const Tensor& qkv) const {
  const int64_t d = options_.head_dim, queries = options_.heads * d, keys = options_.kv_heads * d;
  const auto eps = static_cast<float>(options_.norm_eps);
  const auto part = [&](int64_t begin, int64_t end, const Tensor& weight) {
    const Tensor heads = reshape(slice(qkv, -1, begin, end), {-1, d});
    return reshape(rms_norm(heads, weight, eps), qkv.shape().with(-1, end - begin));
  };
  return concat({part(0, queries, block.query_norm.weight), part(queries, queries + keys, block.key_norm.weight),
                 slice(qkv, -1, queries + keys, queries + 2 * keys)},
                -1);
}

Tensor Gpt::feed_forward(const Block& block, const Tensor& x) const {
  const Tensor up = apply(block.up, x);
  return apply(block.down, is_gpt2() ? gelu_tanh(up) : swiglu(up));
}

Tensor Gpt::hidden(const Tensor& ids, const Tensor& positions, const Attend& attend) {
  Tensor x = [&] {
    const LayerScope scope("embeddings");
    return embed(ids, positions);
  }();
  Tensor normalized = normalize(blocks_.front().attention_norm, x);
  for (size_t i = 0; i < blocks_.size(); ++i) {
    const Block& block = blocks_[i];
    const LayerScope scope(block.name);
    Tensor qkv = apply(block.qkv, normalized);
    if (block.query_norm.weight.defined()) qkv = query_key_norm(block, qkv);
    if (!is_gpt2()) qkv = rope(qkv, options_.heads + 2 * options_.kv_heads, options_.heads + options_.kv_heads, rope_frequencies_, positions);
    const Tensor mixed = apply(block.projection, attend(static_cast<int64_t>(i), qkv));
    add_branch(block.ffn_norm, mixed, x, normalized);
    const Norm& next = i + 1 < blocks_.size() ? blocks_[i + 1].attention_norm : final_norm_;
    add_branch(next, feed_forward(block, normalized), x, normalized);
  }
  return normalized;
}

Tensor Gpt::hidden(const Tensor& ids, const Tensor& first) {
  if (ids.rank() != 2 || ids.size(1) > options_.context) {
    throw ShapeError(kWhere, fmt::format("ids: got shape {}; expected (N, T) with T at most the context, {}", ids.shape().str(), options_.context));
  }
  const AttentionOptions options{.heads = options_.heads, .kv_heads = options_.kv_heads, .causal = true, .scale = {}};
  return hidden(ids, count_to(ids.size(1)), [&](int64_t, const Tensor& qkv) { return attention(qkv, options, first); });
}

Tensor Gpt::logits(const Tensor& hidden) { return apply(head_, hidden); }

Tensor Gpt::forward(const Tensor& ids) { return logits(hidden(ids)); }

Tensor Gpt::loss(const Tensor& ids, const Tensor& targets, const Tensor& first) {
  const Tensor x = hidden(ids, first);
  const LayerScope scope("head");
  const Tensor rows = reshape(x, {-1, options_.width}), target = reshape(targets, {-1});
  return head_.quantized.defined() ? linear_cross_entropy(rows, head_.quantized, target, {.ignore = kIgnore})
                                   : linear_cross_entropy(rows, head_.weight, target, {.ignore = kIgnore});
}

std::string Gpt::describe() const {
  const GptOptions& o = options_;
  return fmt::format("Gpt({}, {} layers, {} heads, {} wide, context {}, vocabulary {})", o.family, o.layers, o.heads, o.width, o.context, o.vocab_size);
}

std::unique_ptr<Gpt> make_gpt(GptOptions options, int64_t vocab_size) {
  if (options.vocab_size == 0) options.vocab_size = vocab_size;
  if (options.vocab_size < vocab_size) {
    throw ConfigError(kWhere, fmt::format("model.vocab_size: got {}; expected at least the tokeniser's, {}", options.vocab_size, vocab_size));
  }
  return std::make_unique<Gpt>(options);
}

}  // namespace danlu::models
