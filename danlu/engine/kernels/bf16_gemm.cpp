#include "danlu/engine/kernels/bf16_gemm.h"

#include <hwy/base.h>

#include <algorithm>
#include <atomic>

#include "danlu/base/error.h"
#include "danlu/base/threads.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/workspace.h"

#if HWY_ARCH_X86

#include <immintrin.h>

// Two numbers beside each other along k are one element of a packed operand, a pair: what an instruction multiplies and adds at once.
// Pairs are kept as floats, which only loads and stores ever see.
namespace danlu::kernels {
namespace {

constexpr int64_t kLanes = 16;
constexpr int64_t kVectors = 4;                // vectors of columns in a panel of B
constexpr int64_t kPanelB = kVectors * kLanes;
constexpr int64_t kPanelA = 48;                // rows in a panel of a transposed A: whole tiles and whole vectors
constexpr int64_t kDepth = 256;                // of k that a tile sums at once: the part of a panel of B stays in the first-level cache
constexpr int64_t kChunkK = 16 * kDepth;       // of k that is packed at once
constexpr int64_t kPairsA = int64_t{1} << 20;  // pairs of packed operands, which stay in the caches
constexpr int64_t kPairsB = int64_t{1} << 21;
constexpr int64_t kRowBlock = 192;  // rows of a task
constexpr int64_t kUnit = 32;       // rows that are packed at once, as they lie in memory

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

HWY_INLINE __m512 rounded(__m512 low, __m512 high) { return reinterpret_cast<__m512>(_mm512_cvtne2ps_pbh(high, low)); }

HWY_INLINE __mmask16 first(int64_t n) { return n >= kLanes ? kAll : n <= 0 ? __mmask16{0} : static_cast<__mmask16>((1u << n) - 1); }

// 32 numbers from x, of which `left` are there, as 16 pairs.
HWY_INLINE __m512 pairs_of(const float* x, int64_t left) {
  if (left >= 2 * kLanes) return rounded(_mm512_loadu_ps(x), _mm512_loadu_ps(x + kLanes));
  return rounded(_mm512_maskz_loadu_ps(first(left), x), _mm512_maskz_loadu_ps(first(left - kLanes), x + kLanes));
}

// Rows that lie along k.
void pack_rows(const float* x, int64_t x_row, int64_t rows, int64_t depth, float* out, int64_t out_row) {
  const int64_t pairs = (depth + 1) / 2;
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t p = 0; p < pairs; p += kLanes) _mm512_mask_storeu_ps(out + p, first(pairs - p), pairs_of(x + 2 * p, depth - 2 * p));
    x += x_row;
    out += out_row;
  }
}

// Where pairs of columns go: pair p of column j, both from the beginning of a panel, is panel[p * width + j]. The next panel is `stride`
// further on; the last is narrower.
struct Panels {
  float* first;
  int64_t width, last_width, stride, count;
  float* at(int64_t panel) const { return first + panel * stride; }
  int64_t width_of(int64_t panel) const { return panel + 1 < count ? width : last_width; }
};

// Columns of a matrix whose rows go on along k, from pair `pair` on. What is beyond `columns` becomes 0.
void pack_columns(const float* x, int64_t x_row, int64_t columns, int64_t depth, int64_t pair, const Panels& panels) {
  const __m512i beside = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8,  //
                                          23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  for (int64_t k = 0; k < depth; k += 2) {
    for (int64_t panel = 0; panel < panels.count; ++panel) {
      const int64_t from = panel * panels.width, width = panels.width_of(panel);
      float* const out = panels.at(panel) + (pair + k / 2) * width;
      for (int64_t j = 0; j < width; j += kLanes) {
        const __mmask16 mask = first(columns - from - j), second = k + 1 < depth ? mask : static_cast<__mmask16>(0);
        const __m512 even = _mm512_maskz_loadu_ps(mask, x + from + j), odd = _mm512_maskz_loadu_ps(second, x + x_row + from + j);
        _mm512_store_si512(out + j, _mm512_permutexvar_epi16(beside, _mm512_castps_si512(rounded(even, odd))));
      }
    }
    x += 2 * x_row;
  }
}

// v[i] lane j becomes v[j] lane i.
HWY_INLINE void transpose_16(__m512* v) {
  __m512i t[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    const __m512i a = _mm512_castps_si512(v[i]), b = _mm512_castps_si512(v[i + 1]);
    t[i] = _mm512_unpacklo_epi32(a, b);
    t[i + 1] = _mm512_unpackhi_epi32(a, b);
  }
  __m512i u[16];  // u[i + q]: of rows i to i + 3, lane q of each quarter
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    u[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    u[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    u[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    u[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
#pragma GCC unroll 4
  for (int q = 0; q < 4; ++q) {
    const __m512i low_even = _mm512_shuffle_i32x4(u[q], u[4 + q], 0x88), low_odd = _mm512_shuffle_i32x4(u[q], u[4 + q], 0xdd);
    const __m512i high_even = _mm512_shuffle_i32x4(u[8 + q], u[12 + q], 0x88), high_odd = _mm512_shuffle_i32x4(u[8 + q], u[12 + q], 0xdd);
    v[q] = _mm512_castsi512_ps(_mm512_shuffle_i32x4(low_even, high_even, 0x88));
    v[4 + q] = _mm512_castsi512_ps(_mm512_shuffle_i32x4(low_odd, high_odd, 0x88));
    v[8 + q] = _mm512_castsi512_ps(_mm512_shuffle_i32x4(low_even, high_even, 0xdd));
    v[12 + q] = _mm512_castsi512_ps(_mm512_shuffle_i32x4(low_odd, high_odd, 0xdd));
  }
}

// As many columns as a vector has lanes, or `columns` of them, of a matrix whose columns lie along k.
void pack_turned(const float* x, int64_t x_column, int64_t columns, int64_t depth, float* out, int64_t width) {
  const int64_t pairs = (depth + 1) / 2;
  for (int64_t p = 0; p < pairs; p += kLanes) {
    __m512 v[kLanes];
#pragma GCC unroll 16
    for (int64_t l = 0; l < kLanes; ++l) v[l] = l < columns ? pairs_of(x + l * x_column + 2 * p, depth - 2 * p) : _mm512_setzero_ps();
    transpose_16(v);
    const int64_t count = pairs - p < kLanes ? pairs - p : kLanes;
    if (count == kLanes) {
#pragma GCC unroll 16
      for (int64_t l = 0; l < kLanes; ++l) _mm512_store_ps(out + l * width, v[l]);
    } else {
      for (int64_t l = 0; l < count; ++l) _mm512_store_ps(out + l * width, v[l]);
    }
    out += kLanes * width;
  }
}

HWY_POP_ATTRIBUTES

constexpr int64_t kThreadWork = int64_t{1} << 17;  // multiplications below which another thread costs more than it gains
constexpr int64_t kSharedWork = int64_t{1} << 24;
constexpr int64_t kPackWork = 8;                   // multiplications that take as long as packing a number

int64_t quotient_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Calls body(i) for all i in [0, n), on one thread if they are little work. Threads take the next of much work, as a processor may be
// slower for a while, and a fixed range of less, so that they find in their caches what they left there.
template <class Body>
void for_units(int64_t n, int64_t work, const Body& body) {
  if (work < kSharedWork) {
    return parallel_for(n, work < kThreadWork ? n : 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) body(i);
    });
  }
  std::atomic<int64_t> next{0};
  parallel_for(num_threads(), 1, [&](int64_t, int64_t) {
    for (int64_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < n;) body(i);
  });
}

// A part of an operand and its place: `size` rows of A or columns of B, in panels. Packed in units, of some rows as they lie in memory.
struct Packed {
  const float* x;
  int64_t x_row;
  bool along_k;  // whether rows of A or columns of B lie along k
  int64_t size, depth;
  float* pairs;

  int64_t units() const { return quotient_up(along_k ? size : depth, kUnit); }
  int64_t unit_size(int64_t unit) const { return std::min(kUnit, (along_k ? size : depth) - unit * kUnit); }
  int64_t all_pairs() const { return quotient_up(depth, 2); }
  int64_t parts() const { return quotient_up(depth, kDepth); }
  int64_t part_pairs(int64_t part) const { return quotient_up(std::min(kDepth, depth - part * kDepth), 2); }
};

// A as rows where it lies along k, else in panels as B.
struct Left : Packed {
  static int64_t floats(int64_t size, int64_t depth) { return quotient_up(size, kPanelA) * kPanelA * (quotient_up(depth, 2) + kGap); }

  int64_t row() const { return all_pairs() + kGap; }
  Panels panels() const { return {pairs, kPanelA, kPanelA, kPanelA * all_pairs(), quotient_up(size, kPanelA)}; }
  void pack(int64_t unit) const {
    const float* const from = x + unit * kUnit * x_row;
    if (along_k) pack_rows(from, x_row, unit_size(unit), depth, pairs + unit * kUnit * row(), row());
    else pack_columns(from, x_row, size, unit_size(unit), unit * kUnit / 2, panels());
  }

 private:
  static constexpr int64_t kGap = kLanes;  // rows are no power of two apart, whose lines would fall into few sets of the cache
};

struct Right : Packed {
  static int64_t floats(int64_t size, int64_t depth) { return quotient_up(size, kLanes) * kLanes * quotient_up(depth, 2); }

  int64_t panel_size(int64_t panel) const { return std::min(kPanelB, size - panel * kPanelB); }
  Panels panels() const {
    const int64_t count = quotient_up(size, kPanelB);
    return {pairs, kPanelB, quotient_up(panel_size(count - 1), kLanes) * kLanes, kPanelB * all_pairs(), count};
  }
  void pack(int64_t unit) const {
    const Panels to = panels();
    if (!along_k) return pack_columns(x + unit * kUnit * x_row, x_row, size, unit_size(unit), unit * kUnit / 2, to);
    for (int64_t j = unit * kUnit, end = j + unit_size(unit); j < end; j += kLanes) {
      const int64_t panel = j / kPanelB;
      pack_turned(x + j * x_row, x_row, std::min(kLanes, size - j), depth, to.at(panel) + j % kPanelB, to.width_of(panel));
    }
  }
};

// c = activation(left right + start), for operands that are packed.
void multiply_packed(const Left& left, const Right& right, float* c, int64_t c_row, bool accumulate, const float* bias, Activation activation) {
  const Panels from_right = right.panels(), from_left = left.panels();
  int64_t rows = kRowBlock;
  while (rows > kPanelA / 2 && quotient_up(left.size, rows) * from_right.count < 4 * num_threads()) rows /= 2;
  const int64_t blocks = quotient_up(left.size, rows);
  const bool by_panels = right.along_k;  // the rows of weights, as the optimiser divides them too
  for_units(blocks * from_right.count, left.size * right.size * left.depth, [&](int64_t task) {
    const int64_t panel = by_panels ? task / blocks : task % from_right.count;
    const int64_t i = (by_panels ? task % blocks : task / from_right.count) * rows;
    const int64_t count = std::min(rows, left.size - i);
    const int64_t columns = right.panel_size(panel), width = from_right.width_of(panel);
    float* const block = c + i * c_row + panel * kPanelB;
    for (int64_t part = 0; part < left.parts(); ++part) {
      const int64_t pair = part * (kDepth / 2);
      Depth t;
      t.pairs = left.part_pairs(part);
      t.b = from_right.at(panel) + pair * width;
      t.b_step = width;
      t.c_row = c_row;
      t.from_c = accumulate || part > 0;
      t.bias = bias == nullptr ? nullptr : bias + panel * kPanelB;
      t.last = (1u << (columns - (width - kLanes))) - 1;
      if (left.along_k) {
        t.a = left.pairs + i * left.row() + pair;
        t.a_row = left.row();
        t.a_step = 1;
        t.c = block;
        multiply(t, count, width / kLanes);
        continue;
      }
      t.a_row = 1;
      t.a_step = kPanelA;
      for (int64_t r = 0, inside = i % kPanelA; r < count; r += kPanelA - inside, inside = 0) {
        t.a = from_left.at((i + r) / kPanelA) + pair * kPanelA + inside;
        t.c = block + r * c_row;
        multiply(t, std::min(kPanelA - inside, count - r), width / kLanes);
      }
    }
    if (activation != Activation::none) activate_rows(activation, block, count, columns, c_row);
  });
}

// As many units of the one as are given, then of the other.
void pack(const Left& left, int64_t of_left, const Right& right, int64_t of_right) {
  const int64_t numbers = (of_left > 0 ? left.size * left.depth : 0) + (of_right > 0 ? right.size * right.depth : 0);
  for_units(of_left + of_right, numbers * kPackWork, [&](int64_t unit) {
    if (unit < of_left) left.pack(unit);
    else right.pack(unit - of_left);
  });
}

}  // namespace

bool bf16_gemm_runs() {
  static const bool has = __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  return has && active_isa() == Isa::avx512;
}

int64_t Bf16Right::floats(int64_t k, int64_t n) { return Right::floats(n, k); }

Bf16Right::Bf16Right(const float* b, int64_t b_row, bool b_transposed, int64_t k, int64_t n, float* memory) : k_(k), n_(n), pairs_(memory) {
  const Right right{{b, b_row, b_transposed, n, k, memory}};
  pack({}, 0, right, right.units());
}

void Bf16Right::multiply(int64_t m, const float* a, int64_t a_row, float* c, int64_t c_row, bool accumulate, const float* bias) const {
  Workspace workspace(Left::floats(m, k_));
  const Left left{{a, a_row, true, m, k_, workspace.take(Left::floats(m, k_))}};
  const Right right{{nullptr, 0, false, n_, k_, pairs_}};
  pack(left, left.units(), right, 0);
  multiply_packed(left, right, c, c_row, accumulate, bias, Activation::none);
}

void round_to_bf16(const float* x, int64_t n, float* pairs) {
  constexpr int64_t kGrain = int64_t{1} << 15;
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) { pack_rows(x + begin, 0, 1, end - begin, pairs + begin / 2, 0); });
}

void bf16_gemm(const SmallGemm& g) {
  const bool a_along_k = g.a_step == 1;
  const int64_t a_row = a_along_k ? g.a_row : g.a_step;
  const int64_t deepest = std::min(g.k, kChunkK);
  const int64_t most_m = std::min(quotient_up(g.m, kPanelA), std::max<int64_t>(kPairsA / Left::floats(kPanelA, deepest), 1)) * kPanelA;
  const int64_t most_n = std::min(quotient_up(g.n, kPanelB), std::max<int64_t>(kPairsB / Right::floats(kPanelB, deepest), 1)) * kPanelB;
  Workspace workspace(Workspace::rounded(Left::floats(most_m, deepest)) + Workspace::rounded(Right::floats(most_n, deepest)));
  float* const a_pairs = workspace.take(Left::floats(most_m, deepest));
  float* const b_pairs = workspace.take(Right::floats(most_n, deepest));
  for (int64_t k = 0; k < g.k; k += kChunkK) {
    const int64_t depth = std::min(kChunkK, g.k - k);
    const bool is_first = k == 0, is_last = k + depth == g.k;
    for (int64_t i = 0; i < g.m; i += most_m) {
      const float* const a = g.a + (a_along_k ? i * a_row + k : k * a_row + i);
      const Left left{{a, a_row, a_along_k, std::min(most_m, g.m - i), depth, a_pairs}};
      for (int64_t j = 0; j < g.n; j += most_n) {
        const float* const b = g.b + (g.b_transposed ? j * g.b_row + k : k * g.b_row + j);
        const Right right{{b, g.b_row, g.b_transposed, std::min(most_n, g.n - j), depth, b_pairs}};
        pack(left, j == 0 ? left.units() : 0, right, i == 0 || most_n < g.n ? right.units() : 0);
        multiply_packed(left, right, g.c + i * g.c_row + j, g.c_row, g.accumulate || !is_first, g.bias == nullptr ? nullptr : g.bias + j,
                        is_last ? g.activation : Activation::none);
      }
    }
  }
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

namespace danlu::kernels {

bool bf16_gemm_pays(int64_t m, int64_t n, int64_t k) { return std::min(m, n) >= 16 && k >= 16; }

}  // namespace danlu::kernels
