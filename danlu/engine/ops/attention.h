// Scaled dot-product attention of several heads over sequences.
//
//   y_i = sum_j softmax_j(scale q_i k_j) v_j       over the keys j that position i may see
//
// Query head h reads the keys and values of head h / (heads / kv_heads).
//
// Shapes    qkv: (N, T, (heads + 2 kv_heads) D): queries, keys and values of a position side by side   y: (N, T, heads * D)
//           first: i64 (N, T) or undefined: position i sees no key before first[i]; 0 <= first[i] <= i
// Gradient  dqkv. Saves qkv, y and one number a row and head; probabilities are made again, tile by tile: nowhere is there a
//           T x T matrix.
// Errors    ShapeError if sizes do not fit; DataError for a first[i] out of range; ConfigError for a scale that is not finite.
// Threads   parallel over sequences and heads of keys; the same bits for any number of threads.
// Numbers   a NaN stays visible, but those of values may also reach positions shortly before their own.
// Source    Vaswani et al. 2017, arXiv:1706.03762; grouped heads: Ainslie et al. 2023, arXiv:2305.13245;
//           in tiles: Dao 2023, arXiv:2307.08691.
#pragma once

#include <optional>

#include "danlu/engine/tensor/tensor.h"

namespace danlu {

struct AttentionOptions {
  int64_t heads = 1;
  int64_t kv_heads = 1;        // heads is a multiple of it
  bool causal = true;          // position i sees no key behind i
  std::optional<float> scale{};  // default: 1 / sqrt(D)
};

Tensor attention(const Tensor& qkv, const AttentionOptions& options, const Tensor& first = {});

}  // namespace danlu
