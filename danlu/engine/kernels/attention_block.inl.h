// Attention of a block of rows to the keys of one head, in tiles that stay in cache. Compiled once for each instruction set:
// include it inside a file that is itself included by hwy/foreach_target.h.
//
// Scores of up to kChunk keys are in memory at once. Where there are more, each further chunk scales down what the earlier ones
// gave (Milakov, Gimelshein 2018, arXiv:1805.02867; Dao et al. 2022, arXiv:2205.14135).

#if defined(DANLU_ATTENTION_BLOCK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef DANLU_ATTENTION_BLOCK_INL_H_
#undef DANLU_ATTENTION_BLOCK_INL_H_
#else
#define DANLU_ATTENTION_BLOCK_INL_H_
#endif

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "danlu/engine/kernels/amx_gemm.h"
#include "danlu/engine/kernels/bf16_operand.h"
#include "danlu/engine/kernels/tile.inl.h"
#include "danlu/engine/kernels/workspace.h"

HWY_BEFORE_NAMESPACE();
namespace danlu::kernels::HWY_NAMESPACE {

constexpr int64_t kTile = 64;    // rows of a block, and keys of a tile
constexpr int64_t kChunk = 256;  // keys

// Positions [begin, end).
struct Span {
  int64_t begin = 0, end = 0;
  bool empty() const { return begin >= end; }
  Span clipped(int64_t low, int64_t high) const { return {std::max(begin, low), std::min(end, high)}; }
};

inline Span united(Span a, Span b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  return {std::min(a.begin, b.begin), std::max(a.end, b.end)};
}

inline int64_t down(int64_t n, int64_t multiple) { return n / multiple * multiple; }
inline int64_t up(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }
inline int64_t lanes() { return static_cast<int64_t>(hn::Lanes(F32())); }

// What each row of a block sees; rows behind the last see nothing.
struct Sight {
  Span keys[kTile];

  Span of_rows(int64_t begin, int64_t end) const {
    Span all;
    for (int64_t r = begin; r < end; ++r) all = united(all, keys[r]);
    return all;
  }
};

// keys[count][row] as tiles of (head_dim, kTile), the last filled up with zeros.
inline void transpose_tile(const float* keys, int64_t row, int64_t count, int64_t head_dim, float* tile) {
  if (count < kTile) std::fill(tile, tile + head_dim * kTile, 0.0f);
  transpose(keys, row, std::min(count, kTile), head_dim, tile, kTile);
}

// Rows of head_dim floats, `width` floats apart, filled up with zeros to `width` floats and to whole tiles; all times `scale`.
inline void copy_rows(const float* x, int64_t row, int64_t count, int64_t head_dim, float scale, float* y, int64_t width) {
  for (int64_t i = 0; i < count; ++i) {
    prefetch_row(x + (i + kAhead) * row, head_dim);
    map(x + i * row, y + i * width, head_dim, [scale](F32 d, VecF v) HWY_ATTR { return hn::Mul(v, hn::Set(d, scale)); });
    for (int64_t j = head_dim; j < width; ++j) y[i * width + j] = 0;
  }
  std::fill(y + count * width, y + up(count, kTile) * width, 0.0f);
}

// Operands of products in half precision, packed at once on the calling thread.
inline bf16::Left packed_left(const float* x, int64_t row, bool along_k, int64_t size, int64_t depth, float* memory) {
  const bf16::Left left{{x, row, along_k, size, depth, memory, true}};
  for (int64_t unit = 0; unit < left.units(); ++unit) left.pack(unit);
  return left;
}
inline bf16::Right packed_right(const float* x, int64_t row, bool along_k, int64_t size, int64_t depth, float* memory) {
  const bf16::Right right{{x, row, along_k, size, depth, memory, true}};
  for (int64_t unit = 0; unit < right.units(); ++unit) right.pack(unit);
  return right;
}
inline int64_t left_floats(int64_t size, int64_t depth) { return Workspace::rounded(bf16::Left::floats(size, depth, true)); }
inline int64_t right_floats(int64_t size, int64_t depth) { return Workspace::rounded(bf16::Right::floats(size, depth, true)); }

// c (rows, columns) = a b, or c += a b; columns of b from `column` on and rows of it from `depth` on, of which a has all: multiples of 16 and of 32.
inline void multiply_packed(const bf16::Left& a, int64_t rows, const bf16::Right& b, int64_t column, int64_t columns, int64_t depth, bool add, float* c,
                            int64_t c_row) {
  bf16::multiply_tiles({.rows = rows, .columns = columns, .pairs = a.all_pairs(),
                        .a = a.pairs, .a_stride = a.tile(1, 0) - a.pairs, .b = b.tile(column / bf16::kLanes, depth / 2), .b_stride = b.tile(1, 0) - b.pairs,
                        .c = c, .c_row = c_row, .accumulate = add, .bias = nullptr});
}

// The keys and values of one head. attend() takes any type with these members, of f32 or f16.
struct KeysAndValues {
  int64_t head_dim, width;  // of a row of values: head_dim rounded up to whole vectors
  const float* tiles;
  const float* rows;
  const float* keys(int64_t tile) const { return tiles + tile * head_dim; }  // transposed: (head_dim, kTile) from position `tile`
  const float* values(int64_t position) const { return rows + position * width; }  // to the end of its tile
};

// The same in half precision.
struct HalfKeysAndValues {
  int64_t head_dim, width;
  bf16::Right keys, values;  // as columns of the scores, and as rows of the sums
};

// One block of rows, with room for what is computed on the way.
struct Block {
  int64_t rows;
  Sight sight;
  float* queries;   // (kTile, width), scaled, zero behind the last row
  float* scores;    // (kTile, kChunk)
  float* sums;      // (kTile, width): of exp(score - largest) * value
  float* packed = nullptr;  // in half precision: the queries and then the scores of a chunk
  float largest[kTile], total[kTile];

  static int64_t floats(int64_t width) { return Workspace::rounded(kTile * width) * 2 + Workspace::rounded(kTile * kChunk); }
  Block(Workspace& workspace, int64_t width)
      : rows(0), queries(workspace.take(kTile * width)), scores(workspace.take(kTile * kChunk)), sums(workspace.take(kTile * width)) {}
};

// Lanes of the vector at column j that lie in `span`.
HWY_INLINE hn::Mask<F32> mask_of(F32 d, int64_t j, Span span) {
  const VecF column = hn::Iota(d, static_cast<float>(j));
  return hn::And(hn::Ge(column, hn::Set(d, static_cast<float>(span.begin))), hn::Lt(column, hn::Set(d, static_cast<float>(span.end))));
}

// One row of scores becomes exp(score - largest), zero outside of `seen`, over the columns of `computed`. Returns what sums of
// earlier chunks have to be multiplied with.
HWY_INLINE float exponentials(float* scores, Span seen, Span computed, float& largest, float& total) {
  const F32 d;
  const int64_t step = lanes(), begin = down(computed.begin, step), end = computed.end;
  if (seen.empty()) {
    std::fill(scores + begin, scores + up(end, step), 0.0f);
    return 1;
  }
  const VecF nothing = hn::Set(d, -HUGE_VALF);
  const auto whole = [&](int64_t j) { return j >= seen.begin && j + step <= seen.end; };
  VecF most = hn::Set(d, largest);
  for (int64_t j = begin; j < end; j += step) {
    VecF v = hn::LoadU(d, scores + j);
    if (!whole(j)) {
      v = hn::IfThenElse(mask_of(d, j, seen), v, nothing);
      hn::StoreU(v, d, scores + j);
    }
    most = hn::Max(v, most);
  }
  const float before = largest;
  largest = hn::GetLane(hn::MaxOfLanes(d, most));
  const VecF m = hn::Set(d, largest);
  VecF sum = hn::Zero(d);
  for (int64_t j = begin; j < end; j += step) {
    const VecF p = exp_below(d, hn::Sub(hn::LoadU(d, scores + j), m));
    hn::StoreU(p, d, scores + j);
    sum = hn::Add(sum, p);
  }
  const float correction = before == -HUGE_VALF ? 0.0f : std::exp(before - largest);
  total = total * correction + hn::GetLane(hn::SumOfLanes(d, sum));
  return correction;
}

// As the other attend_chunk(), in half precision; the queries are packed.
inline void attend_chunk(Block& block, const HalfKeysAndValues& kv, const bf16::Left& queries, int64_t begin, int64_t end, bool later) {
  const int64_t columns = up(end - begin, bf16::kLanes);
  multiply_packed(queries, block.rows, kv.keys, begin, columns, 0, false, block.scores, kChunk);
  for (int64_t r = 0; r < block.rows; ++r) {
    const Span seen = block.sight.keys[r].clipped(begin, end);
    const float correction = exponentials(block.scores + r * kChunk, {seen.begin - begin, seen.end - begin}, {0, columns}, block.largest[r], block.total[r]);
    if (later && correction != 1) {
      map(block.sums + r * kv.width, block.sums + r * kv.width, kv.width,
          [correction](F32 d, VecF v) HWY_ATTR { return hn::Mul(v, hn::Set(d, correction)); });
    }
  }
  const bf16::Left scores = packed_left(block.scores, kChunk, true, block.rows, columns, block.packed + left_floats(kTile, kv.head_dim));
  multiply_packed(scores, block.rows, kv.values, 0, kv.width, begin, true, block.sums, kv.width);
}

// Scores, exponentials and weighted values of the keys [begin, end), at most kChunk of them.
template <class Cache>
void attend_chunk(Block& block, const Cache& kv, int64_t begin, int64_t end, bool later) {
  Span groups[kTile / kBlockRows];
  for (int64_t r = 0; r < block.rows; r += kBlockRows) groups[r / kBlockRows] = block.sight.of_rows(r, r + kBlockRows).clipped(begin, end);
  const auto for_groups = [&](int64_t tile, const auto& body) HWY_ATTR {
    for (int64_t r = 0; r < block.rows; r += kBlockRows) {
      const Span keys = groups[r / kBlockRows].clipped(tile, tile + kTile);
      if (!keys.empty()) body(r, keys);
    }
  };
  for (int64_t tile = begin; tile < end; tile += kTile) {
    for_groups(tile, [&](int64_t r, Span keys) HWY_ATTR {
      const int64_t first = down(keys.begin, lanes()), last = up(keys.end, lanes());
      multiply({block.queries + r * kv.width, kv.width, 1}, Right{kv.keys(tile) + (first - tile), kTile}, last - first,
               kv.head_dim, false, block.scores + r * kChunk + (first - begin), kChunk);
    });
  }
  for (int64_t r = 0; r < block.rows; ++r) {
    const Span computed = groups[r / kBlockRows], seen = block.sight.keys[r].clipped(begin, end);
    if (computed.empty()) continue;
    const float correction = exponentials(block.scores + r * kChunk, {seen.begin - begin, seen.end - begin},
                                          {computed.begin - begin, computed.end - begin}, block.largest[r], block.total[r]);
    if (later && correction != 1) {
      map(block.sums + r * kv.width, block.sums + r * kv.width, kv.width,
          [correction](F32 d, VecF v) HWY_ATTR { return hn::Mul(v, hn::Set(d, correction)); });
    }
  }
  for (int64_t tile = begin; tile < end; tile += kTile) {
    for_groups(tile, [&](int64_t r, Span keys) HWY_ATTR {
      multiply({block.scores + r * kChunk + (keys.begin - begin), kChunk, 1}, Right{kv.values(keys.begin), kv.width}, kv.width,
               keys.end - keys.begin, true, block.sums + r * kv.width, kv.width);
    });
  }
}

// Calls chunk(begin, end, later) for the keys that the rows of a block see, from sums of nothing on.
template <class Chunk>
void for_chunks(Block& block, int64_t width, const Chunk& chunk) {
  std::fill(block.sums, block.sums + up(block.rows, kBlockRows) * width, 0.0f);
  std::fill(block.largest, block.largest + kTile, -HUGE_VALF);
  std::fill(block.total, block.total + kTile, 0.0f);
  const Span all = block.sight.of_rows(0, block.rows);
  if (all.empty()) return;
  const int64_t first = down(all.begin, kTile);
  for (int64_t begin = first; begin < all.end; begin += kChunk) chunk(begin, std::min(begin + kChunk, all.end), begin > first);
}

// For the rows of a block, whose queries and sight are set: sums, total and largest.
template <class Cache>
void attend(Block& block, const Cache& kv) {
  for_chunks(block, kv.width, [&](int64_t begin, int64_t end, bool later) HWY_ATTR { attend_chunk(block, kv, begin, end, later); });
}
inline void attend(Block& block, const HalfKeysAndValues& kv) {
  const bf16::Left queries = packed_left(block.queries, kv.width, true, block.rows, kv.head_dim, block.packed);
  for_chunks(block, kv.width, [&](int64_t begin, int64_t end, bool later) HWY_ATTR { attend_chunk(block, kv, queries, begin, end, later); });
}

}  // namespace danlu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
