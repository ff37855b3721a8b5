// Attention (see ops/attention.h for the formula), forward and backward for training, and over a cache for generation.
//
// Threads: parallel over sequences and heads of keys; the same bits for any number of threads. With matmul_precision() medium and AMX the products of
// attention() and attention_backward() are of numbers rounded to bf16 (matmul_precision.h), those over a cache never.
#pragma once

#include <cstdint>
#include <span>

namespace danlu::kernels {

struct AttentionShape {
  int64_t batch, length;
  int64_t heads, kv_heads, head_dim;
  bool causal;
  float scale;
  int64_t row() const { return (heads + 2 * kv_heads) * head_dim; }  // floats of one position of qkv
};

// qkv (batch, length, row()), y (batch, length, heads * head_dim). first (batch, length) may be null.
// log_sum_exp (batch, heads, length) is kept for the backward pass; null if there will be none.
void attention(const AttentionShape& shape, const float* qkv, const int64_t* first, float* y, float* log_sum_exp);
void attention_backward(const AttentionShape& shape, const float* dy, const float* qkv, const int64_t* first, const float* y,
                        const float* log_sum_exp, float* dqkv);

// The keys and values of one sequence so far, (kv_heads, capacity, head_dim) each, and how many rows it brings.
struct CachedSequence {
  float* keys;
  float* values;
  int64_t capacity;
  int64_t position;  // of its first new row: that many are in the cache already
  int64_t rows;      // position + rows <= capacity
};

// The rows of qkv ((heads + 2 kv_heads) * head_dim floats each) belong to the sequences one after another. Stores their keys and
// values at position and behind, then attends: row r of a sequence sees 0 to position + r. y: (rows of all, heads * head_dim).
// The result of a sequence does not depend on what else is in the call.
void attention_cached(const float* qkv, std::span<const CachedSequence> sequences, int64_t heads, int64_t kv_heads, int64_t head_dim,
                      float scale, float* y);

}  // namespace danlu::kernels
