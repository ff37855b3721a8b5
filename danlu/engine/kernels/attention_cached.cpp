#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "danlu/engine/kernels/attention_cached.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include <algorithm>
#include <vector>

#include "danlu/base/threads.h"
#include "danlu/engine/kernels/attention.h"
#include "danlu/engine/kernels/attention_block.inl.h"
#include "danlu/engine/kernels/f16.inl.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/workspace.h"

HWY_BEFORE_NAMESPACE();
namespace danlu::kernels::HWY_NAMESPACE {
namespace {

static_assert(kTile == kCacheTile);

// One head of keys of the cache.
template <class Number>
class CachedHead {
 public:
  CachedHead(const CachedHeads& s, const CachedSequence& sequence, int64_t kv)
      : head_dim(s.head_dim), width(s.value_row()), pages_(sequence.pages), offset_(sequence.offset + kv * s.head_bytes()) {}

  const int64_t head_dim, width;
  Number* keys(int64_t position) const { return reinterpret_cast<Number*>(pages_[position / kTile] + offset_) + position % kTile; }
  Number* values(int64_t position) const {
    return reinterpret_cast<Number*>(pages_[position / kTile] + offset_) + kTile * head_dim + position % kTile * width;
  }

 private:
  std::byte* const* pages_;
  int64_t offset_;
};

// Puts the new keys and values of head kv into the cache; qkv is at the sequence's first row.
template <class Number>
void store_new(const CachedHeads& s, const float* qkv, const CachedSequence& sequence, const CachedHead<Number>& head, int64_t kv) {
  for (int64_t r = 0; r < sequence.rows; ++r) {
    const float* key = qkv + r * s.row() + (s.heads + kv) * s.head_dim;
    const float* value = key + s.kv_heads * s.head_dim;
    Number* column = head.keys(sequence.position + r);
    Number* row = head.values(sequence.position + r);
    for (int64_t j = 0; j < head.head_dim; ++j) store_number(key[j], column + j * kTile);
    for (int64_t j = 0; j < head.head_dim; ++j) store_number(value[j], row + j);
    std::fill(row + head.head_dim, row + head.width, Number{0});
  }
}

// One head of keys of one sequence; y is at its first row. Rows of a block are the queries of the heads that share it, row after row.
template <class Number>
void attend_head(const CachedHeads& s, const float* qkv, const CachedSequence& sequence, int64_t kv, float* y) {
  const CachedHead<Number> head(s, sequence, kv);
  const int64_t d = head.head_dim, width = head.width;
  store_new(s, qkv, sequence, head, kv);
  Workspace workspace(Block::floats(width));
  Block block(workspace, width);
  const int64_t group = s.heads / s.kv_heads, queries = sequence.rows * group;
  for (int64_t begin = 0; begin < queries; begin += kTile) {
    block.rows = std::min(kTile, queries - begin);
    for (int64_t r = 0; r < kTile; ++r) {
      const int64_t row = (begin + r) / group, h = kv * group + (begin + r) % group;
      block.sight.keys[r] = {};
      if (r >= block.rows) continue;
      block.sight.keys[r] = {0, sequence.position + row + 1};
      const float scale = s.scale;
      map(qkv + row * s.row() + h * d, block.queries + r * width, d,
          [scale](F32 tag, VecF v) HWY_ATTR { return hn::Mul(v, hn::Set(tag, scale)); });
    }
    attend(block, head);
    for (int64_t r = 0; r < block.rows; ++r) {
      const int64_t row = (begin + r) / group, h = kv * group + (begin + r) % group;
      const float inverse = 1 / block.total[r];
      map(block.sums + r * width, y + (row * s.heads + h) * d, d,
          [inverse](F32 tag, VecF v) HWY_ATTR { return hn::Mul(v, hn::Set(tag, inverse)); });
    }
  }
}

void cached_head(const CachedHeads& s, const float* qkv, const CachedSequence& sequence, int64_t kv, float* y) {
  if (s.format == CacheFormat::f16) attend_head<uint16_t>(s, qkv, sequence, kv, y);
  else attend_head<float>(s, qkv, sequence, kv, y);
}

}  // namespace
}  // namespace danlu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace danlu::kernels {
namespace {

HWY_EXPORT(cached_head);

}  // namespace

void attention_cached(const CachedHeads& shape, const float* qkv, std::span<const CachedSequence> sequences, float* y) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(cached_head);
  std::vector<int64_t> first_row;
  int64_t rows = 0;
  for (const CachedSequence& sequence : sequences) {
    first_row.push_back(rows);
    rows += sequence.rows;
  }
  parallel_for(static_cast<int64_t>(sequences.size()) * shape.kv_heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const auto i = static_cast<size_t>(task / shape.kv_heads);
      kernel(shape, qkv + first_row[i] * shape.row(), sequences[i], task % shape.kv_heads,
             y + first_row[i] * shape.heads * shape.head_dim);
    }
  });
}

}  // namespace danlu::kernels
#endif
