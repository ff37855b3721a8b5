#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "danlu/engine/kernels/attention.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include <algorithm>
#include <optional>

#include "danlu/base/threads.h"
#include "danlu/engine/kernels/attention.h"
#include "danlu/engine/kernels/attention_block.inl.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/matmul_precision.h"
#include "danlu/engine/kernels/workspace.h"

HWY_BEFORE_NAMESPACE();
namespace danlu::kernels::HWY_NAMESPACE {
namespace {

// What the rows of the block at row `begin` of sequence n see.
void look(const AttentionShape& s, const int64_t* first, int64_t n, int64_t begin, int64_t rows, Sight& sight) {
  for (int64_t r = 0; r < kTile; ++r) {
    const int64_t i = begin + r;
    sight.keys[r] = {};
    if (r < rows) sight.keys[r] = {first == nullptr ? 0 : first[n * s.length + i], s.causal ? i + 1 : s.length};
  }
}

// Where the parts of a position of qkv begin, for one head of keys.
struct Parts {
  const float *keys, *values;
  Parts(const AttentionShape& s, const float* qkv, int64_t n, int64_t kv)
      : keys(qkv + n * s.length * s.row() + (s.heads + kv) * s.head_dim), values(keys + s.kv_heads * s.head_dim) {}
};

void transpose_tiles(const AttentionShape& s, const float* x, float* tiles) {
  for (int64_t t = 0; t < s.length; t += kTile) {
    transpose_tile(x + t * s.row(), s.row(), s.length - t, s.head_dim, tiles + t * s.head_dim);
  }
}

// Of a head in half precision: keys as columns of the scores, values as rows of the sums.
int64_t half_keys_floats(const AttentionShape& s) { return right_floats(s.length, s.head_dim); }
int64_t half_values_floats(const AttentionShape& s) { return right_floats(s.head_dim, s.length); }

int64_t half_forward_floats(const AttentionShape& s) {
  return half_keys_floats(s) + half_values_floats(s) + Block::floats(up(s.head_dim, lanes())) + left_floats(kTile, s.head_dim) + left_floats(kTile, kChunk);
}

int64_t forward_floats(const AttentionShape& s) {
  const int64_t length = up(s.length, kTile), width = up(s.head_dim, lanes());
  return Workspace::rounded(length * s.head_dim) + Workspace::rounded(length * width) + Block::floats(width);
}

// All rows of the queries that share head kv of sequence n.
void forward_head(const AttentionShape& s, bool half, const float* qkv, const int64_t* first, int64_t n, int64_t kv, float* y, float* log_sum_exp) {
  const int64_t d = s.head_dim, length = up(s.length, kTile), width = up(d, lanes()), group = s.heads / s.kv_heads;
  Workspace workspace(half ? half_forward_floats(s) : forward_floats(s));
  const Parts parts(s, qkv, n, kv);
  KeysAndValues keys_and_values{d, width, nullptr, nullptr};
  HalfKeysAndValues half_keys_and_values{d, width, {}, {}};
  if (half) {
    half_keys_and_values.keys = packed_right(parts.keys, s.row(), true, s.length, d, workspace.take(half_keys_floats(s)));
    half_keys_and_values.values = packed_right(parts.values, s.row(), false, d, s.length, workspace.take(half_values_floats(s)));
  } else {
    float* const tiles = workspace.take(length * d);
    float* const rows = workspace.take(length * width);
    transpose_tiles(s, parts.keys, tiles);
    copy_rows(parts.values, s.row(), s.length, d, 1, rows, width);
    keys_and_values = {d, width, tiles, rows};
  }
  Block block(workspace, width);
  if (half) block.packed = workspace.take(left_floats(kTile, d) + left_floats(kTile, kChunk));
  for (int64_t begin = 0; begin < s.length; begin += kTile) {
    block.rows = std::min(kTile, s.length - begin);
    look(s, first, n, begin, block.rows, block.sight);
    for (int64_t h = kv * group; h < (kv + 1) * group; ++h) {
      copy_rows(qkv + (n * s.length + begin) * s.row() + h * d, s.row(), block.rows, d, s.scale, block.queries, width);
      prefetch_rows(y + ((n * s.length + begin) * s.heads + h) * d, s.heads * d, block.rows, d);
      if (half) attend(block, half_keys_and_values);
      else attend(block, keys_and_values);
      for (int64_t r = 0; r < block.rows; ++r) {
        const float inverse = 1 / block.total[r];
        map(block.sums + r * width, y + ((n * s.length + begin + r) * s.heads + h) * d, d,
            [inverse](F32 tag, VecF v) HWY_ATTR { return hn::Mul(v, hn::Set(tag, inverse)); });
        if (log_sum_exp != nullptr) log_sum_exp[(n * s.heads + h) * s.length + begin + r] = block.largest[r] + std::log(block.total[r]);
      }
    }
  }
}

// For one head of keys: what backward keeps in cache.
struct Gradients {
  int64_t length, width;
  float *key_tiles, *value_tiles;   // transposed
  float *keys;                      // (length, width)
  float *dkeys, *dvalues;           // (length, width)
  float *queries, *dy, *dqueries;   // of a block of rows: (kTile, width), queries scaled
  float *p, *ds;                    // of a block and a tile of keys: (kTile, kTile)

  static int64_t floats(const AttentionShape& s) {
    const int64_t length = up(s.length, kTile), width = up(s.head_dim, lanes());
    return 2 * Workspace::rounded(length * s.head_dim) + 3 * Workspace::rounded(length * width) + 3 * Workspace::rounded(kTile * width) +
           2 * Workspace::rounded(kTile * kTile);
  }
  Gradients(const AttentionShape& s, Workspace& workspace) : length(up(s.length, kTile)), width(up(s.head_dim, lanes())) {
    for (float** tiles : {&key_tiles, &value_tiles}) *tiles = workspace.take(length * s.head_dim);
    for (float** rows : {&keys, &dkeys, &dvalues}) *rows = workspace.take(length * width);
    for (float** rows : {&queries, &dy, &dqueries}) *rows = workspace.take(kTile * width);
    for (float** tile : {&p, &ds}) *tile = workspace.take(kTile * kTile);
  }
};

// p becomes exp(p - log_sum_exp) and ds p * (ds - delta), both 0 outside of `seen`.
HWY_INLINE void softmax_gradient(float* p, float* ds, Span seen, float log_sum_exp, float delta) {
  const F32 d;
  const VecF lse = hn::Set(d, log_sum_exp), shift = hn::Set(d, delta);
  for (int64_t j = 0; j < kTile; j += lanes()) {
    if (j + lanes() <= seen.begin || j >= seen.end) {
      hn::StoreU(hn::Zero(d), d, p + j);
      hn::StoreU(hn::Zero(d), d, ds + j);
      continue;
    }
    VecF probability = exp_below(d, hn::Sub(hn::LoadU(d, p + j), lse));
    VecF gradient = hn::Mul(probability, hn::Sub(hn::LoadU(d, ds + j), shift));
    if (j < seen.begin || j + lanes() > seen.end) {
      const auto mask = mask_of(d, j, seen);
      probability = hn::IfThenElseZero(mask, probability);
      gradient = hn::IfThenElseZero(mask, gradient);
    }
    hn::StoreU(probability, d, p + j);
    hn::StoreU(gradient, d, ds + j);
  }
}

// The rows of a block that see any of the keys [begin, end).
Span rows_that_see(const Sight& sight, int64_t rows, int64_t begin, int64_t end) {
  Span all;
  for (int64_t r = 0; r < rows; ++r) {
    if (!sight.keys[r].clipped(begin, end).empty()) all = united(all, {r, r + 1});
  }
  return all;
}

// Adds to dkeys, dvalues and dqueries what the block of rows and the tile of keys at `tile` give.
void backward_tile(const AttentionShape& s, Gradients& g, const Sight& sight, int64_t rows, int64_t tile, const float* log_sum_exp,
                   const float* delta) {
  const int64_t width = g.width;
  Span groups[kTile / kBlockRows];
  for (int64_t r = 0; r < rows; r += kBlockRows) {
    const Span seen = sight.of_rows(r, r + kBlockRows).clipped(tile, tile + kTile), keys{seen.begin - tile, seen.end - tile};
    groups[r / kBlockRows] = keys;
    if (keys.empty()) continue;
    const int64_t first = down(keys.begin, lanes()), columns = up(keys.end, lanes()) - first;
    multiply({g.queries + r * width, width, 1}, Right{g.key_tiles + tile * s.head_dim + first, kTile}, columns, s.head_dim, false,
             g.p + r * kTile + first, kTile);
    multiply({g.dy + r * width, width, 1}, Right{g.value_tiles + tile * s.head_dim + first, kTile}, columns, s.head_dim, false,
             g.ds + r * kTile + first, kTile);
  }
  for (int64_t r = 0; r < rows; ++r) {
    const Span seen = sight.keys[r].clipped(tile, tile + kTile);
    softmax_gradient(g.p + r * kTile, g.ds + r * kTile, {seen.begin - tile, seen.end - tile}, log_sum_exp[r], delta[r]);
  }
  for (int64_t r = 0; r < rows; r += kBlockRows) {
    const Span keys = groups[r / kBlockRows];
    if (keys.empty()) continue;
    multiply({g.ds + r * kTile + keys.begin, kTile, 1}, Right{g.keys + (tile + keys.begin) * width, width}, width, keys.end - keys.begin, true,
             g.dqueries + r * width, width);
  }
  for (int64_t k = 0; k < std::min(kTile, s.length - tile); k += kBlockRows) {
    const Span seeing = rows_that_see(sight, rows, tile + k, tile + k + kBlockRows);
    if (seeing.empty()) continue;
    const int64_t at = seeing.begin * kTile + k, count = seeing.end - seeing.begin;
    multiply({g.p + at, 1, kTile}, Right{g.dy + seeing.begin * width, width}, width, count, true, g.dvalues + (tile + k) * width, width);
    multiply({g.ds + at, 1, kTile}, Right{g.queries + seeing.begin * width, width}, width, count, true, g.dkeys + (tile + k) * width, width);
  }
}

// In half precision: the operands of a head, of a block of rows, and of a block and a tile.
struct HalfGradients {
  bf16::Right keys_as_columns, values_as_columns, keys_as_rows;
  bf16::Left queries, dy;
  bf16::Right queries_as_rows, dy_as_rows;
  float *of_queries[2], *of_dy[2], *of_tile;

  static int64_t floats(const AttentionShape& s) {
    return 2 * half_keys_floats(s) + half_values_floats(s) + 2 * (left_floats(kTile, s.head_dim) + right_floats(s.head_dim, kTile)) + left_floats(kTile, kTile);
  }
  HalfGradients(const AttentionShape& s, const Parts& parts, Workspace& workspace)
      : keys_as_columns(packed_right(parts.keys, s.row(), true, s.length, s.head_dim, workspace.take(half_keys_floats(s)))),
        values_as_columns(packed_right(parts.values, s.row(), true, s.length, s.head_dim, workspace.take(half_keys_floats(s)))),
        keys_as_rows(packed_right(parts.keys, s.row(), false, s.head_dim, s.length, workspace.take(half_values_floats(s)))) {
    for (float** of : {of_queries, of_dy}) {
      of[0] = workspace.take(left_floats(kTile, s.head_dim));
      of[1] = workspace.take(right_floats(s.head_dim, kTile));
    }
    of_tile = workspace.take(left_floats(kTile, kTile));
  }
  void pack_rows(const AttentionShape& s, const Gradients& g, int64_t rows) {
    queries = packed_left(g.queries, g.width, true, rows, s.head_dim, of_queries[0]);
    queries_as_rows = packed_right(g.queries, g.width, false, s.head_dim, rows, of_queries[1]);
    dy = packed_left(g.dy, g.width, true, rows, s.head_dim, of_dy[0]);
    dy_as_rows = packed_right(g.dy, g.width, false, s.head_dim, rows, of_dy[1]);
  }
};

// As backward_tile(), in half precision; the rows are packed.
void backward_tile_in_half(const AttentionShape& s, Gradients& g, HalfGradients& half, const Sight& sight, int64_t rows, int64_t tile, const float* log_sum_exp,
                           const float* delta) {
  const int64_t width = g.width, keys = std::min(kTile, s.length - tile), columns = up(keys, bf16::kLanes);
  multiply_packed(half.queries, rows, half.keys_as_columns, tile, columns, 0, false, g.p, kTile);
  multiply_packed(half.dy, rows, half.values_as_columns, tile, columns, 0, false, g.ds, kTile);
  for (int64_t r = 0; r < rows; ++r) {
    const Span seen = sight.keys[r].clipped(tile, tile + kTile);
    softmax_gradient(g.p + r * kTile, g.ds + r * kTile, {seen.begin - tile, seen.end - tile}, log_sum_exp[r], delta[r]);
  }
  multiply_packed(packed_left(g.ds, kTile, true, rows, keys, half.of_tile), rows, half.keys_as_rows, 0, width, tile, true, g.dqueries, width);
  multiply_packed(packed_left(g.p, kTile, false, keys, rows, half.of_tile), keys, half.dy_as_rows, 0, width, 0, true, g.dvalues + tile * width, width);
  multiply_packed(packed_left(g.ds, kTile, false, keys, rows, half.of_tile), keys, half.queries_as_rows, 0, width, 0, true, g.dkeys + tile * width, width);
}

// All gradients of head kv of sequence n: of its keys and values and of the queries that share it.
void backward_head(const AttentionShape& s, bool in_half, const float* dy, const float* qkv, const int64_t* first, int64_t n, int64_t kv, const float* y,
                   const float* log_sum_exp, float* dqkv) {
  const int64_t d = s.head_dim, group = s.heads / s.kv_heads;
  Workspace workspace(Gradients::floats(s) + (in_half ? HalfGradients::floats(s) : 0));
  Gradients g(s, workspace);
  const int64_t width = g.width;
  const Parts parts(s, qkv, n, kv);
  std::optional<HalfGradients> half;
  if (in_half) {
    half.emplace(s, parts, workspace);
  } else {
    transpose_tiles(s, parts.keys, g.key_tiles);
    transpose_tiles(s, parts.values, g.value_tiles);
    copy_rows(parts.keys, s.row(), s.length, d, 1, g.keys, width);
  }
  std::fill(g.dkeys, g.dkeys + g.length * width, 0.0f);
  std::fill(g.dvalues, g.dvalues + g.length * width, 0.0f);
  const auto store = [&](const float* from, int64_t rows, float scale, int64_t begin, int64_t vector) HWY_ATTR {
    for (int64_t r = 0; r < rows; ++r) {
      prefetch_row(dqkv + (n * s.length + begin + r + kAhead) * s.row() + vector * d, d);
      map(from + r * width, dqkv + (n * s.length + begin + r) * s.row() + vector * d, d,
          [scale](F32 tag, VecF v) HWY_ATTR { return hn::Mul(v, hn::Set(tag, scale)); });
    }
  };
  Sight sight;
  float delta[kTile];
  for (int64_t begin = 0; begin < s.length; begin += kTile) {
    const int64_t rows = std::min(kTile, s.length - begin);
    look(s, first, n, begin, rows, sight);
    const Span seen = sight.of_rows(0, rows);
    for (int64_t h = kv * group; h < (kv + 1) * group; ++h) {
      const int64_t y_row = s.heads * d, at = (n * s.length + begin) * y_row + h * d;
      copy_rows(qkv + (n * s.length + begin) * s.row() + h * d, s.row(), rows, d, s.scale, g.queries, width);
      copy_rows(dy + at, y_row, rows, d, 1, g.dy, width);
      for (int64_t r = 0; r < rows; ++r) {
        prefetch_row(y + at + (r + kAhead) * y_row, d);
        delta[r] = map_sum(dy + at + r * y_row, y + at + r * y_row, d, [](F32, VecF u, VecF v) HWY_ATTR { return hn::Mul(u, v); });
      }
      std::fill(g.dqueries, g.dqueries + kTile * width, 0.0f);
      prefetch_rows(dqkv + (n * s.length + begin) * s.row() + h * d, s.row(), rows, d);
      const float* const row_log_sum_exp = log_sum_exp + (n * s.heads + h) * s.length + begin;
      if (half) half->pack_rows(s, g, rows);
      for (int64_t tile = down(seen.begin, kTile); tile < seen.end; tile += kTile) {
        if (half) backward_tile_in_half(s, g, *half, sight, rows, tile, row_log_sum_exp, delta);
        else backward_tile(s, g, sight, rows, tile, row_log_sum_exp, delta);
      }
      store(g.dqueries, rows, s.scale, begin, h);
    }
  }
  store(g.dkeys, s.length, 1, 0, s.heads + kv);
  store(g.dvalues, s.length, 1, 0, s.heads + s.kv_heads + kv);
}

}  // namespace
}  // namespace danlu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace danlu::kernels {
namespace {

HWY_EXPORT(forward_head);
HWY_EXPORT(backward_head);

constexpr int64_t kGrain = int64_t{1} << 14;  // multiplications below which a second thread costs more than it gains

// body(sequence, head of keys)
template <class Body>
void for_heads(const AttentionShape& s, const Body& body) {
  const int64_t work = s.length * s.length * s.head_dim * (s.heads / s.kv_heads);
  parallel_for(s.batch * s.kv_heads, kGrain / std::max<int64_t>(work, 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) body(task / s.kv_heads, task % s.kv_heads);
  });
}

// In tiles of AMX or in f32: short products repay no other format.
bool in_half() { return matmul_precision() == MatmulPrecision::medium && active_isa() == Isa::amx; }

}  // namespace

void attention(const AttentionShape& shape, const float* qkv, const int64_t* first, float* y, float* log_sum_exp) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(forward_head);
  for_heads(shape, [&, half = in_half()](int64_t n, int64_t kv) { kernel(shape, half, qkv, first, n, kv, y, log_sum_exp); });
}

void attention_backward(const AttentionShape& shape, const float* dy, const float* qkv, const int64_t* first, const float* y,
                        const float* log_sum_exp, float* dqkv) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(backward_head);
  for_heads(shape, [&, half = in_half()](int64_t n, int64_t kv) { kernel(shape, half, dy, qkv, first, n, kv, y, log_sum_exp, dqkv); });
}

}  // namespace danlu::kernels
#endif
