#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "danlu/engine/kernels/attention_cached.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include <algorithm>
#include <vector>

#include "danlu/base/threads.h"
#include "danlu/engine/kernels/attention.h"
#include "danlu/engine/kernels/attention_block.inl.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/workspace.h"

#ifndef DANLU_CACHED_HEADS_
#define DANLU_CACHED_HEADS_
namespace danlu::kernels {

struct CachedHeads {
  int64_t heads, kv_heads, head_dim;
  float scale;
  int64_t row() const { return (heads + 2 * kv_heads) * head_dim; }
  int64_t group() const { return heads / kv_heads; }
};

}  // namespace danlu::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace danlu::kernels::HWY_NAMESPACE {
namespace {

// Puts the new keys and values of head kv into the cache; qkv and y are at the sequence's first row.
void store_new(const CachedHeads& s, const float* qkv, const CachedSequence& sequence, float* keys, float* values, int64_t kv) {
  const size_t bytes = static_cast<size_t>(s.head_dim) * sizeof(float);
  for (int64_t r = 0; r < sequence.rows; ++r) {
    const float* from = qkv + r * s.row() + (s.heads + kv) * s.head_dim;
    std::memcpy(keys + (sequence.position + r) * s.head_dim, from, bytes);
    std::memcpy(values + (sequence.position + r) * s.head_dim, from + s.kv_heads * s.head_dim, bytes);
  }
}

// One head of keys of one sequence. Rows of a block are the queries of the heads that share it, row after row.
void cached_head(const CachedHeads& s, const float* qkv, const CachedSequence& sequence, int64_t kv, float* y) {
  const int64_t d = s.head_dim, width = up(d, lanes()), count = sequence.position + sequence.rows, length = up(count, kTile);
  float* keys = sequence.keys + kv * sequence.capacity * d;
  float* values = sequence.values + kv * sequence.capacity * d;
  store_new(s, qkv, sequence, keys, values, kv);

  Workspace workspace(Workspace::rounded(length * d) + Workspace::rounded(length * width) + Block::floats(width));
  float* tiles = workspace.take(length * d);
  for (int64_t t = 0; t < count; t += kTile) transpose_tile(keys + t * d, d, count - t, d, tiles + t * d);
  if (width != d) {
    float* copy = workspace.take(length * width);
    copy_rows(values, d, count, d, 1, copy, width);
    values = copy;
  }
  Block block(workspace, width);
  const int64_t group = s.group(), queries = sequence.rows * group;
  for (int64_t begin = 0; begin < queries; begin += kTile) {
    block.rows = std::min(kTile, queries - begin);
    for (int64_t r = 0; r < kTile; ++r) {
      const int64_t row = (begin + r) / group, head = kv * group + (begin + r) % group;
      block.sight.keys[r] = {};
      if (r >= block.rows) continue;
      block.sight.keys[r] = {0, sequence.position + row + 1};
      const float scale = s.scale;
      map(qkv + row * s.row() + head * d, block.queries + r * width, d,
          [scale](F32 tag, VecF v) HWY_ATTR { return hn::Mul(v, hn::Set(tag, scale)); });
    }
    attend(block, {count, d, width, tiles, values});
    for (int64_t r = 0; r < block.rows; ++r) {
      const int64_t row = (begin + r) / group, head = kv * group + (begin + r) % group;
      const float inverse = 1 / block.total[r];
      map(block.sums + r * width, y + (row * s.heads + head) * d, d,
          [inverse](F32 tag, VecF v) HWY_ATTR { return hn::Mul(v, hn::Set(tag, inverse)); });
    }
  }
}

}  // namespace
}  // namespace danlu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace danlu::kernels {
namespace {

HWY_EXPORT(cached_head);

}  // namespace

void attention_cached(const float* qkv, std::span<const CachedSequence> sequences, int64_t heads, int64_t kv_heads, int64_t head_dim,
                      float scale, float* y) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(cached_head);
  const CachedHeads shape{heads, kv_heads, head_dim, scale};
  std::vector<int64_t> first_row;
  int64_t rows = 0;
  for (const CachedSequence& sequence : sequences) {
    first_row.push_back(rows);
    rows += sequence.rows;
  }
  parallel_for(static_cast<int64_t>(sequences.size()) * kv_heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const auto i = static_cast<size_t>(task / kv_heads);
      kernel(shape, qkv + first_row[i] * shape.row(), sequences[i], task % kv_heads, y + first_row[i] * heads * head_dim);
    }
  });
}

}  // namespace danlu::kernels
#endif
