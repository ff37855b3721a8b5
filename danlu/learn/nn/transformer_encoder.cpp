#include "danlu/learn/nn/transformer_encoder.h"

#include <tuple>

#include "danlu/base/format.h"
#include "danlu/engine/autograd/layer_scope.h"
#include "danlu/engine/ops/attention.h"
#include "danlu/engine/ops/dropout.h"
#include "danlu/engine/ops/elementwise.h"
#include "danlu/engine/ops/norm.h"

namespace danlu::nn {

namespace {

Tensor feed_forward(Linear& up, Linear& down, const Tensor& x) {
  const auto* first = dynamic_cast<const Int8Weight*>(up.compact_weight());
  const auto* second = dynamic_cast<const Int8Weight*>(down.compact_weight());
  if (first == nullptr || second == nullptr) return down(gelu(up(x)));
  return down(first->linear(x, up.bias, kernels::Int8Activation::gelu, second->input()));  // as integers in between
}

}  // namespace

TransformerEncoder::TransformerEncoder(const TransformerEncoderOptions& o) : options_(o) {
  const int64_t hidden = o.hidden == 0 ? 4 * o.width : o.hidden, attended = o.head_dim == 0 ? o.width : o.heads * o.head_dim;
  for (int64_t i = 0; i < o.layers; ++i) {
    const std::string name = fmt::format("blocks.{}.", i);
    blocks_.push_back({add(name + "attention_norm", LayerNorm(o.width)), add(name + "qkv", Linear(o.width, 3 * attended, true, Init::xavier)),
                       add(name + "projection", Linear(attended, o.width, true, Init::xavier)), add(name + "ffn_norm", LayerNorm(o.width)),
                       add(name + "up", Linear(o.width, hidden)), add(name + "down", Linear(hidden, o.width, true, Init::xavier))});
  }
  norm_ = add("norm", LayerNorm(o.width));
}

Tensor TransformerEncoder::forward(const Tensor& input, const Tensor& first) {
  const AttentionOptions heads{.heads = options_.heads, .kv_heads = options_.heads, .causal = options_.causal, .scale = {}};
  Tensor x = input, normalized = (*blocks_.front().attention_norm)(x);
  for (size_t i = 0; i < blocks_.size(); ++i) {
    const Block& b = blocks_[i];
    const LayerScope scope(fmt::format("blocks.{}", i));
    add_branch(*b.ffn_norm, (*b.projection)(attention((*b.qkv)(normalized), heads, first)), x, normalized);
    add_branch(i + 1 < blocks_.size() ? *blocks_[i + 1].attention_norm : *norm_, feed_forward(*b.up, *b.down, normalized), x, normalized);
  }
  return normalized;
}

// x = x + branch, and the norm of that, in one pass.
void TransformerEncoder::add_branch(const LayerNorm& norm, const Tensor& branch, Tensor& x, Tensor& normalized) const {
  const bool drops = is_training() && options_.dropout > 0;
  std::tie(x, normalized) = add_layer_norm(drops ? dropout(branch, static_cast<float>(options_.dropout)) : branch, x, norm.weight, norm.bias);
}

std::string TransformerEncoder::describe() const {
  return fmt::format("TransformerEncoder({} layers, {} heads, {} wide)", options_.layers, options_.heads, options_.width);
}

}  // namespace danlu::nn
