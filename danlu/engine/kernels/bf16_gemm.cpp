#include "danlu/engine/kernels/bf16_gemm.h"

#include <hwy/base.h>

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/engine/kernels/amx_gemm.h"
#include "danlu/engine/kernels/bf16_operand.h"
#include "danlu/engine/kernels/gemm_units.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/workspace.h"

#if HWY_ARCH_X86

#include <immintrin.h>

namespace danlu::kernels {
namespace {

using namespace bf16;

constexpr int64_t kDepth = 256;                // of k that a tile sums at once: the part of a panel of B stays in the first-level cache
constexpr int64_t kChunkK = 16 * kDepth;       // of k that is packed at once
constexpr int64_t kPairsA = int64_t{1} << 20;  // pairs of packed operands, which stay in the caches
constexpr int64_t kPairsB = int64_t{1} << 21;
constexpr int64_t kMostRows = 192, kLeastRows = 24;         // of a task
constexpr int64_t kMostTileRows = 512, kLeastTileRows = 32;  // the same with AMX,
constexpr int64_t kTilePairs = int64_t{1} << 18;             // and the pairs of such rows, which stay in the second-level cache

// What a tile reads: pair (r, p) of A is a[r * a_row + p * a_step], row p of B is b[p * b_step, ...).
struct Depth {
  const float *a, *b;
  int64_t a_row, a_step, b_step, pairs;
  float* c;
  int64_t c_row;
  bool from_c;        // sums start from C
  const float* bias;  // or from here, unless null
  uint32_t last;      // lanes of the last vector of columns
};

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512vl,avx512bf16")

constexpr __mmask16 kAll = 0xffff;

template <int kRows, int kColumns>
HWY_INLINE void tile(const Depth& t, int64_t i) {
  const auto last = static_cast<__mmask16>(t.last);
  float* const c = t.c + i * t.c_row;
  __m512 sum[kRows][kColumns];
#pragma GCC unroll 4
  for (int v = 0; v < kColumns; ++v) {
    const __mmask16 mask = v + 1 < kColumns ? kAll : last;
    const __m512 start = t.from_c || t.bias == nullptr ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(mask, t.bias + v * kLanes);
#pragma GCC unroll 24
    for (int r = 0; r < kRows; ++r) sum[r][v] = t.from_c ? _mm512_maskz_loadu_ps(mask, c + r * t.c_row + v * kLanes) : start;
  }
  const float *a = t.a + i * t.a_row, *b = t.b;
  for (int64_t p = 0; p < t.pairs; ++p) {
    __m512bh row[kColumns];
#pragma GCC unroll 4
    for (int v = 0; v < kColumns; ++v) row[v] = reinterpret_cast<__m512bh>(_mm512_load_ps(b + v * kLanes));
#pragma GCC unroll 24
    for (int r = 0; r < kRows; ++r) {
      const auto factor = reinterpret_cast<__m512bh>(_mm512_set1_ps(a[r * t.a_row]));
#pragma GCC unroll 4
      for (int v = 0; v < kColumns; ++v) sum[r][v] = _mm512_dpbf16_ps(sum[r][v], row[v], factor);
    }
    a += t.a_step;
    b += t.b_step;
  }
#pragma GCC unroll 24
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kColumns; ++v) _mm512_mask_storeu_ps(c + r * t.c_row + v * kLanes, v + 1 < kColumns ? kAll : last, sum[r][v]);
  }
}

// Rows [i, rows), kRows at a time and the rest in smaller tiles.
template <int kRows, int kColumns>
void tiles(const Depth& t, int64_t i, int64_t rows) {
  for (; i + kRows <= rows; i += kRows) tile<kRows, kColumns>(t, i);
  if constexpr (kRows > 1) {
    if (i < rows) tiles<kRows == 6 ? 4 : kRows / 2, kColumns>(t, i, rows);
  }
}

void multiply(const Depth& t, int64_t rows, int64_t vectors) {
  switch (vectors) {
    case 1: return tiles<24, 1>(t, 0, rows);
    case 2: return tiles<12, 2>(t, 0, rows);
    case 3: return tiles<8, 3>(t, 0, rows);
    default: return tiles<6, 4>(t, 0, rows);
  }
}

HWY_POP_ATTRIBUTES

bool in_tiles() { return active_isa() == Isa::amx; }

constexpr int64_t kTilesAtOnce = 16;  // products of tiles in the time of one of vdpbf16ps

// By vdpbf16ps: rows [i, i + count) of A with a panel of `columns` of B; c is where their part of C begins.
void multiply_panel(const Left& left, int64_t i, int64_t count, const float* b, int64_t width, int64_t columns, float* c, int64_t c_row, bool accumulate,
                    const float* bias) {
  const int64_t pairs = left.all_pairs();
  for (int64_t pair = 0; pair < pairs; pair += kDepth / 2) {
    Depth t;
    t.pairs = std::min(kDepth / 2, pairs - pair);
    t.b = b + pair * width;
    t.b_step = width;
    t.c_row = c_row;
    t.from_c = accumulate || pair > 0;
    t.bias = bias;
    t.last = (1u << (columns - (width - kLanes))) - 1;
    if (left.along_k) {
      t.a = left.pairs + i * left.row() + pair;
      t.a_row = left.row();
      t.a_step = 1;
      t.c = c;
      multiply(t, count, width / kLanes);
      continue;
    }
    t.a_row = 1;
    t.a_step = kPanelA;
    for (int64_t r = 0, inside = i % kPanelA; r < count; r += kPanelA - inside, inside = 0) {
      t.a = left.panels().at((i + r) / kPanelA) + pair * kPanelA + inside;
      t.c = c + r * c_row;
      multiply(t, std::min(kPanelA - inside, count - r), width / kLanes);
    }
  }
}

// c = activation(left right + start), for operands that are packed.
void multiply_packed(const Left& left, const Right& right, float* c, int64_t c_row, bool accumulate, const float* bias, Activation activation) {
  const Panels panels = right.panels();
  int64_t rows = left.in_tiles ? std::clamp(kTilePairs / left.all_pairs() / kLeastTileRows * kLeastTileRows, kLeastTileRows, kMostTileRows) : kMostRows;
  const int64_t least = left.in_tiles ? kLeastTileRows : kLeastRows;
  while (rows > least && quotient_up(left.size, rows) * panels.count < 4 * num_threads()) rows = rounded_up(rows / 2, least);
  const int64_t blocks = quotient_up(left.size, rows);
  // The rows of weights, as the optimiser divides them too. Many rows of A stay in the second-level cache of a thread, and the panels pass over them.
  const bool by_panels = right.along_k && (!left.in_tiles || left.size * left.all_pairs() <= kTilePairs);
  for_units(blocks * panels.count, left.size * right.size * left.depth / (left.in_tiles ? kTilesAtOnce : 1), [&](int64_t task) {
    const int64_t panel = by_panels ? task / blocks : task % panels.count;
    const int64_t i = (by_panels ? task % blocks : task / panels.count) * rows;
    const int64_t count = std::min(rows, left.size - i), columns = right.panel_size(panel), width = panels.width_of(panel);
    float* const block = c + i * c_row + panel * kPanelB;
    const float* const block_bias = bias == nullptr ? nullptr : bias + panel * kPanelB;
    if (left.in_tiles) {
      multiply_tiles({.rows = count, .columns = columns, .pairs = left.all_pairs(),
                      .a = left.tile(i / kLanes, 0), .a_stride = left.tile(1, 0) - left.pairs,
                      .b = right.tile(panel * kPanelB / kLanes, 0), .b_stride = right.tile(1, 0) - right.pairs,
                      .c = block, .c_row = c_row, .accumulate = accumulate, .bias = block_bias});
    } else {
      multiply_panel(left, i, count, panels.at(panel), width, columns, block, c_row, accumulate, block_bias);
    }
    if (activation != Activation::none) activate_rows(activation, block, count, columns, c_row);
  });
}

// As many units of each as are given.
void pack(const Left& left, int64_t of_left, const Right& right, int64_t of_right) {
  const int64_t numbers = (of_left > 0 ? left.size * left.depth : 0) + (of_right > 0 ? right.size * right.depth : 0);
  for_both(of_left, of_right, numbers * kPackWork, [&](int64_t unit) { left.pack(unit); }, [&](int64_t unit) { right.pack(unit); });
}

}  // namespace

bool bf16_gemm_runs() {
  static const bool has = __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  return has && active_isa() >= Isa::avx512;
}

int64_t Bf16Right::floats(int64_t k, int64_t n) { return Right::floats(n, k, in_tiles()); }

Bf16Right::Bf16Right(const float* b, int64_t b_row, bool b_transposed, int64_t k, int64_t n, float* memory) : k_(k), n_(n), pairs_(memory) {
  const Right right{{b, b_row, b_transposed, n, k, memory, in_tiles()}};
  pack({}, 0, right, right.units());
}

void Bf16Right::multiply(int64_t m, const float* a, int64_t a_row, float* c, int64_t c_row, bool accumulate, const float* bias) const {
  const bool tiles = in_tiles();
  const int64_t floats = Left::floats(m, k_, tiles);
  Workspace workspace(floats);
  const Left left{{a, a_row, true, m, k_, workspace.take(floats), tiles}};
  const Right right{{nullptr, 0, false, n_, k_, pairs_, tiles}};
  pack(left, left.units(), right, 0);
  multiply_packed(left, right, c, c_row, accumulate, bias, Activation::none);
}

void round_to_bf16(const float* x, int64_t n, float* pairs) {
  constexpr int64_t kGrain = int64_t{1} << 15;
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) { round_row(x + begin, end - begin, pairs + begin / 2); });
}

void bf16_gemm(const SmallGemm& g) {
  const bool tiles = in_tiles();
  const int64_t deepest = std::min(g.k, kChunkK);
  const int64_t most_m = std::min(quotient_up(g.m, kPanelA), std::max<int64_t>(kPairsA / Left::floats(kPanelA, deepest, tiles), 1)) * kPanelA;
  const int64_t most_n = std::min(quotient_up(g.n, kPanelB), std::max<int64_t>(kPairsB / Right::floats(kPanelB, deepest, tiles), 1)) * kPanelB;
  const int64_t a_floats = Left::floats(most_m, deepest, tiles), b_floats = Right::floats(most_n, deepest, tiles);
  Workspace workspace(Workspace::rounded(a_floats) + Workspace::rounded(b_floats));
  float* const a_pairs = workspace.take(a_floats);
  float* const b_pairs = workspace.take(b_floats);
  for_chunks(g, most_m, most_n, kChunkK, [&](const GemmChunk& chunk) {
    const Left left{{chunk.a, chunk.a_row, chunk.a_along_k, chunk.rows, chunk.depth, a_pairs, tiles}};
    const Right right{{chunk.b, g.b_row, g.b_transposed, chunk.columns, chunk.depth, b_pairs, tiles}};
    pack(left, chunk.new_left ? left.units() : 0, right, chunk.new_right ? right.units() : 0);
    multiply_packed(left, right, chunk.c, g.c_row, chunk.accumulate, chunk.bias, chunk.activation);
  });
}

}  // namespace danlu::kernels

#else

namespace danlu::kernels {
namespace {

[[noreturn]] void cannot_run() { throw InternalError("engine.kernels", "a product in bf16 on a processor without it"); }

}  // namespace

bool bf16_gemm_runs() { return false; }
void bf16_gemm(const SmallGemm&) { cannot_run(); }
int64_t Bf16Right::floats(int64_t, int64_t) { cannot_run(); }
Bf16Right::Bf16Right(const float*, int64_t, bool, int64_t, int64_t, float*) { cannot_run(); }
void Bf16Right::multiply(int64_t, const float*, int64_t, float*, int64_t, bool, const float*) const { cannot_run(); }
void round_to_bf16(const float*, int64_t, float*) { cannot_run(); }

}  // namespace danlu::kernels

#endif
