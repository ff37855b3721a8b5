#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "danlu/engine/kernels/small_gemm.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include <algorithm>

#include "danlu/base/threads.h"
#include "danlu/engine/kernels/activation.inl.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/small_gemm.h"
#include "danlu/engine/kernels/vector_map.inl.h"

HWY_BEFORE_NAMESPACE();
namespace danlu::kernels::HWY_NAMESPACE {
namespace {

// C is made in tiles whose sums stay in registers along k: 6 rows by 4 vectors, or by 2 where there are 16 registers. Each number
// that is loaded is then used 4 or 6 times, and the multipliers are what limits the loop.
constexpr int kVectors = HWY_MAX_BYTES >= 64 ? 4 : 2;
constexpr int kSums = 6 * kVectors;
// A panel: kVectors vectors of columns of B by this depth of k. It stays in the first-level cache while the rows of A pass.
constexpr int64_t kDepth = 128;
constexpr int64_t kGatherRows = 32;  // rows of A that repay the copy of a panel
constexpr int64_t kPanelRow = kVectors * HWY_MAX_BYTES / static_cast<int64_t>(sizeof(float));

struct Panel {
  const float* b;
  int64_t b_row;
  int64_t depth;
  bool from_c;        // sums start from C
  const float* bias;  // or from here, unless null
  int64_t last;       // columns of the last vector; only a panel of one vector may have fewer than there are lanes
};

template <int kColumns>
HWY_INLINE VecF load(F32 d, const float* p, int64_t count) {
  return kColumns > 1 || count == static_cast<int64_t>(hn::Lanes(d)) ? hn::LoadU(d, p) : load_tail(d, p, count);
}

template <int kColumns>
HWY_INLINE void store(VecF v, F32 d, float* p, int64_t count) {
  if (kColumns > 1 || count == static_cast<int64_t>(hn::Lanes(d))) {
    hn::StoreU(v, d, p);
  } else {
    store_tail(v, d, p, count);
  }
}

// kRows rows by kColumns vectors.
template <int kRows, int kColumns>
HWY_INLINE void tile(const SmallGemm& g, const Panel& panel, const float* a, float* c) {
  const F32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t last = panel.last, b_row = panel.b_row;
  VecF sum[kRows][kColumns];
  HWY_UNROLL(4)
  for (int v = 0; v < kColumns; ++v) {
    if (panel.from_c) {
      HWY_UNROLL(12)
      for (int r = 0; r < kRows; ++r) sum[r][v] = load<kColumns>(d, c + r * g.c_row + v * lanes, last);
    } else {
      const VecF start = panel.bias == nullptr ? hn::Zero(d) : load<kColumns>(d, panel.bias + v * lanes, last);
      HWY_UNROLL(12)
      for (int r = 0; r < kRows; ++r) sum[r][v] = start;
    }
  }
  const float* b = panel.b;
  for (int64_t p = 0; p < panel.depth; ++p) {
    VecF row[kColumns];
    HWY_UNROLL(4)
    for (int v = 0; v < kColumns; ++v) row[v] = load<kColumns>(d, b + v * lanes, last);
    HWY_UNROLL(12)
    for (int r = 0; r < kRows; ++r) {
      const VecF factor = hn::Set(d, a[r * g.a_row]);
      HWY_UNROLL(4)
      for (int v = 0; v < kColumns; ++v) sum[r][v] = hn::MulAdd(factor, row[v], sum[r][v]);
    }
    a += g.a_step;
    b += b_row;
  }
  HWY_UNROLL(12)
  for (int r = 0; r < kRows; ++r) {
    HWY_UNROLL(4)
    for (int v = 0; v < kColumns; ++v) store<kColumns>(sum[r][v], d, c + r * g.c_row + v * lanes, last);
  }
}

// Rows [i, m) of a panel, kRows at a time and the rest in smaller tiles.
template <int kRows, int kColumns>
HWY_INLINE void tiles(const SmallGemm& g, const Panel& panel, int64_t i, const float* a, float* c) {
  for (; i + kRows <= g.m; i += kRows) tile<kRows, kColumns>(g, panel, a + i * g.a_row, c + i * g.c_row);
  if constexpr (kRows > 1) tiles<kRows == 6 ? 4 : kRows / 2, kColumns>(g, panel, i, a, c);
}

template <int kColumns>
void multiply(const SmallGemm& g, const Panel& panel, const float* a, float* c) {
  tiles<std::min(12, kSums / kColumns), kColumns>(g, panel, 0, a, c);
}

#if HWY_TARGET != HWY_SCALAR
// Columns p to p + 3 of as many rows as a vector has lanes; each column becomes a vector of `out`.
HWY_INLINE void turn_4(const float* const* rows, int64_t p, float* out) {
  const F32 d;
  constexpr size_t kBlocks = HWY_MAX_BYTES / 16;
  VecF v[4];  // block i of v[q] is from row 4 i + q
  HWY_UNROLL(4)
  for (size_t q = 0; q < 4; ++q) {
    v[q] = hn::LoadDup128(d, rows[q] + p);
    HWY_UNROLL(4)
    for (size_t i = 1; i < kBlocks; ++i) v[q] = hn::IfThenElse(hn::FirstN(d, 4 * i), v[q], hn::LoadDup128(d, rows[4 * i + q] + p));
  }
  const VecF low02 = hn::InterleaveLower(d, v[0], v[2]), high02 = hn::InterleaveUpper(d, v[0], v[2]);
  const VecF low13 = hn::InterleaveLower(d, v[1], v[3]), high13 = hn::InterleaveUpper(d, v[1], v[3]);
  hn::Store(hn::InterleaveLower(d, low02, low13), d, out);
  hn::Store(hn::InterleaveUpper(d, low02, low13), d, out + kPanelRow);
  hn::Store(hn::InterleaveLower(d, high02, high13), d, out + 2 * kPanelRow);
  hn::Store(hn::InterleaveUpper(d, high02, high13), d, out + 3 * kPanelRow);
}
#endif

// Rows of B^T become columns of a panel, whose last vector is filled up with zeros.
void turn(const float* b, int64_t b_row, int64_t columns, int64_t depth, float* out) {
  static constexpr float kZeros[kDepth] = {};
  const auto lanes = static_cast<int64_t>(hn::Lanes(F32()));
  for (int64_t j = 0; j < columns; j += lanes) {
    const float* rows[HWY_MAX_BYTES / sizeof(float)];
    for (int64_t l = 0; l < lanes; ++l) rows[l] = j + l < columns ? b + (j + l) * b_row : kZeros;
    int64_t p = 0;
#if HWY_TARGET != HWY_SCALAR
    for (; p + 4 <= depth; p += 4) turn_4(rows, p, out + p * kPanelRow + j);
#endif
    for (; p < depth; ++p) {
      for (int64_t l = 0; l < lanes; ++l) out[p * kPanelRow + j + l] = rows[l][p];
    }
  }
}

// Rows of B, one after another: where they are far apart they would drive each other out of the first-level cache.
void gather(const float* b, int64_t b_row, int64_t depth, float* out) {
  const F32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t p = 0; p < depth; ++p) {
    HWY_UNROLL(4)
    for (int v = 0; v < kVectors; ++v) hn::Store(hn::LoadU(d, b + p * b_row + v * lanes), d, out + p * kPanelRow + v * lanes);
  }
}

void activate_block(Activation activation, float* y, int64_t rows, int64_t n, int64_t y_row) {
  for (int64_t i = 0; i < rows; ++i) activate(activation, y + i * y_row, n);
}

void small_gemm_block(const SmallGemm& g) {
  HWY_ALIGN float block[kDepth * kPanelRow];
  const auto lanes = static_cast<int64_t>(hn::Lanes(F32()));
  for (int64_t p = 0; p < g.k; p += kDepth) {
    const float* a = g.a + p * g.a_step;
    int64_t columns = 0;
    for (int64_t j = 0; j < g.n; j += columns) {
      const int64_t whole = (g.n - j) / lanes;
      const int64_t vectors = whole >= kVectors ? kVectors : whole >= 2 ? 2 : 1;
      columns = std::min(vectors * lanes, g.n - j);
      Panel panel{g.b + (g.b_transposed ? j * g.b_row + p : p * g.b_row + j), g.b_row, std::min(kDepth, g.k - p),
                  g.accumulate || p > 0, g.bias == nullptr ? nullptr : g.bias + j, std::min(lanes, columns)};
      const bool gathers = vectors == kVectors && g.m >= kGatherRows;
      if (g.b_transposed) {
        turn(panel.b, g.b_row, columns, panel.depth, block);
      } else if (gathers) {
        gather(panel.b, g.b_row, panel.depth, block);
      }
      if (g.b_transposed || gathers) {
        panel.b = block;
        panel.b_row = kPanelRow;
      }
      if (vectors == kVectors) multiply<kVectors>(g, panel, a, g.c + j);
      else if (vectors == 2) multiply<2>(g, panel, a, g.c + j);
      else multiply<1>(g, panel, a, g.c + j);
    }
  }
  if (g.activation != Activation::none) activate_block(g.activation, g.c, g.m, g.n, g.c_row);
}

}  // namespace
}  // namespace danlu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace danlu::kernels {
namespace {

HWY_EXPORT(small_gemm_block);
HWY_EXPORT(activate_block);

constexpr int64_t kThreadWork = int64_t{1} << 16;  // multiplications below which another thread costs more than it gains
constexpr int64_t kRowGrain = 16, kColumnGrain = 32;

// How many rows or columns a thread takes at least, each of `work` multiplications.
int64_t grain(int64_t unit, int64_t work) {
  return std::max<int64_t>((kThreadWork / std::max<int64_t>(work, 1) + unit - 1) / unit, 1) * unit;
}

SmallGemm columns_of(SmallGemm g, int64_t begin, int64_t end) {
  g.n = end - begin;
  g.b += begin * (g.b_transposed ? g.b_row : 1);
  g.c += begin;
  if (g.bias != nullptr) g.bias += begin;
  return g;
}

SmallGemm rows_of(SmallGemm g, int64_t begin, int64_t end) {
  g.m = end - begin;
  g.a += begin * g.a_row;
  g.c += begin * g.c_row;
  return g;
}

}  // namespace

int64_t most_small_gemm() { return int64_t{1} << (active_isa() >= Isa::avx512 ? 26 : 27); }

void activate_rows(Activation activation, float* y, int64_t rows, int64_t n, int64_t y_row) {
  active_isa();
  HWY_DYNAMIC_DISPATCH(activate_block)(activation, y, rows, n, y_row);
}

void small_gemm(const SmallGemm& g) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(small_gemm_block);
  // Along the rows of weights and of their gradients, as the optimiser divides its buffers too, so that a thread finds them in its
  // own cache; the other way where there are too few for all threads.
  const int64_t column_grain = grain(kColumnGrain, g.m * g.k), row_grain = grain(kRowGrain, g.n * g.k), threads = num_threads();
  const bool by_columns = g.b_transposed ? g.n >= g.m : g.m < threads * row_grain && g.n > g.m;
  if (by_columns) {
    parallel_for(g.n, column_grain, [&](int64_t begin, int64_t end) { kernel(columns_of(g, begin, end)); });
  } else {
    parallel_for(g.m, row_grain, [&](int64_t begin, int64_t end) { kernel(rows_of(g, begin, end)); });
  }
}

}  // namespace danlu::kernels
#endif
