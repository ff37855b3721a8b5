// Attention (see ops/attention.h for the formula), forward and backward for training, and over a cache for generation.
//
// Threads: parallel over sequences and heads of keys; the same bits for any number of threads. With matmul_precision() medium and AMX the products of
// attention() and attention_backward() are of numbers rounded to bf16 (matmul_precision.h), those over a cache never.
#pragma once

#include <cstddef>
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

// The numbers of a cache. f16 halves its memory and the reading of it, for 11 significant bits; what is larger than 65504 is cut to it.
enum class CacheFormat { f32, f16 };

// A cache is made of pages of kCacheTile positions, which lie as attention reads them. Each has, of every layer and of every head of keys,
//   keys    (head_dim, kCacheTile)
//   values  (kCacheTile, value_row()), zero behind head_dim
constexpr int64_t kCacheTile = 64;

struct CachedHeads {
  int64_t heads, kv_heads, head_dim;
  float scale;
  CacheFormat format = CacheFormat::f32;
  int64_t row() const { return (heads + 2 * kv_heads) * head_dim; }
  int64_t value_row() const { return (head_dim + 15) / 16 * 16; }  // whole vectors of any instruction set
  int64_t number_bytes() const { return format == CacheFormat::f16 ? 2 : 4; }
  int64_t head_bytes() const { return kCacheTile * (head_dim + value_row()) * number_bytes(); }
  int64_t layer_bytes() const { return kv_heads * head_bytes(); }
};

// The keys and values of a layer of one sequence so far, and how many rows it brings.
struct CachedSequence {
  std::byte* const* pages;  // for position + rows positions
  int64_t offset;           // of the layer in each page, in bytes
  int64_t position;         // of its first new row: that many are in the cache already
  int64_t rows;
};

// The rows of qkv (shape.row() floats each) belong to the sequences one after another. Stores their keys and values at position and
// behind, then attends: row r of a sequence sees 0 to position + r. y: (rows of all, heads * head_dim).
// The result of a row does not depend, in a single bit, on what else is in the call nor on how many rows come with it.
void attention_cached(const CachedHeads& shape, const float* qkv, std::span<const CachedSequence> sequences, float* y);

}  // namespace danlu::kernels
