#include "danlu/engine/kernels/bf16_gemm.h"

#include <hwy/base.h>

#include <algorithm>

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

template <int kRows, int kColumns>
HWY_INLINE void tile(const Depth& t, int64_t i) {
  const auto last = static_cast<__mmask16>(t.last);
  float* const c = t.c + i * t.c_row;
  __m512 sum[kRows][kColumns];
#pragma GCC unroll 4
  for (int v = 0; v < kColumns; ++v) {
    const __mmask16 mask = v + 1 < kColumns ? static_cast<__mmask16>(0xffff) : last;
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
    for (int v = 0; v < kColumns; ++v) _mm512_mask_storeu_ps(c + r * t.c_row + v * kLanes, v + 1 < kColumns ? static_cast<__mmask16>(0xffff) : last, sum[r][v]);
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

HWY_INLINE __mmask16 first(int64_t n) { return static_cast<__mmask16>(n >= kLanes ? 0xffff : n <= 0 ? 0 : (1u << n) - 1); }

// 32 numbers from x, of which `left` are there, as 16 pairs.
HWY_INLINE __m512 pairs_of(const float* x, int64_t left) {
  if (left >= 2 * kLanes) return rounded(_mm512_loadu_ps(x), _mm512_loadu_ps(x + kLanes));
  return rounded(_mm512_maskz_loadu_ps(first(left), x), _mm512_maskz_loadu_ps(first(left - kLanes), x + kLanes));
}

// Rows that lie along k: `pairs` of each, one row after another.
void pack_rows(const float* x, int64_t x_row, int64_t rows, int64_t depth, float* out) {
  const int64_t pairs = (depth + 1) / 2;
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t p = 0; p < pairs; p += kLanes) _mm512_mask_storeu_ps(out + p, first(pairs - p), pairs_of(x + 2 * p, depth - 2 * p));
    x += x_row;
    out += pairs;
  }
}

// Columns of a matrix whose rows go on along k: pair p of column j is out[p * width + j]. `width` is in whole vectors; what is beyond
// `columns` becomes 0.
void pack_columns(const float* x, int64_t x_row, int64_t columns, int64_t depth, int64_t width, float* out) {
  const __m512i beside = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  for (int64_t k = 0; k < depth; k += 2) {
    for (int64_t j = 0; j < width; j += kLanes) {
      const __mmask16 mask = first(columns - j), second = k + 1 < depth ? mask : static_cast<__mmask16>(0);
      const __m512 even = _mm512_maskz_loadu_ps(mask, x + j), odd = _mm512_maskz_loadu_ps(second, x + x_row + j);
      _mm512_store_si512(out + j, _mm512_permutexvar_epi16(beside, _mm512_castps_si512(rounded(even, odd))));
    }
    x += 2 * x_row;
    out += width;
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

// As pack_columns(), of a matrix whose columns lie along k, x_column apart.
void pack_turned(const float* x, int64_t x_column, int64_t columns, int64_t depth, int64_t width, float* out) {
  const int64_t pairs = (depth + 1) / 2;
  for (int64_t j = 0; j < width; j += kLanes) {
    for (int64_t p = 0; p < pairs; p += kLanes) {
      __m512 v[kLanes];
#pragma GCC unroll 16
      for (int64_t l = 0; l < kLanes; ++l) v[l] = j + l < columns ? pairs_of(x + (j + l) * x_column + 2 * p, depth - 2 * p) : _mm512_setzero_ps();
      transpose_16(v);
      const int64_t count = pairs - p < kLanes ? pairs - p : kLanes;
      if (count == kLanes) {
#pragma GCC unroll 16
        for (int64_t l = 0; l < kLanes; ++l) _mm512_store_ps(out + (p + l) * width + j, v[l]);
      } else {
        for (int64_t l = 0; l < count; ++l) _mm512_store_ps(out + (p + l) * width + j, v[l]);
      }
    }
  }
}

HWY_POP_ATTRIBUTES

constexpr int64_t kThreadWork = int64_t{1} << 17;  // multiplications below which another thread costs more than it gains
constexpr int64_t kPackWork = 8;                   // multiplications that take as long as packing a number

int64_t quotient_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Calls body(first, last) on the indices in [0, n), on one thread if they are little work.
template <class Body>
void for_units(int64_t n, int64_t work, const Body& body) {
  parallel_for(n, work < kThreadWork ? n : 1, body);
}

// An operand in panels of rows of A or columns of B, each in parts along k.
struct Packed {
  const float* x;  // of the chunk
  int64_t x_row;
  bool along_k;  // whether rows of A or columns of B lie along k
  int64_t size;  // rows of A or columns of B
  int64_t panel;
  int64_t depth;
  float* pairs;

  int64_t panels() const { return quotient_up(size, panel); }
  int64_t parts() const { return quotient_up(depth, kDepth); }
  int64_t part_depth(int64_t part) const { return std::min(kDepth, depth - part * kDepth); }
  int64_t panel_size(int64_t p) const { return std::min(panel, size - p * panel); }
  const float* from(int64_t p, int64_t part) const {
    return along_k ? x + p * panel * x_row + part * kDepth : x + part * kDepth * x_row + p * panel;
  }
};

// A as rows where it lies along k, else in panels as B.
struct Left : Packed {
  bool as_rows() const { return along_k; }
  int64_t row() const { return as_rows() ? 0 : 1; }
  float* at(int64_t p, int64_t part) const {
    if (as_rows()) return pairs + part * (kDepth / 2) * size + p * panel * quotient_up(part_depth(part), 2);
    return pairs + (p * quotient_up(depth, 2) + part * (kDepth / 2)) * panel;
  }
  void pack(int64_t p, int64_t part) const {
    if (as_rows()) pack_rows(from(p, part), x_row, panel_size(p), part_depth(part), at(p, part));
    else pack_columns(from(p, part), x_row, panel_size(p), part_depth(part), panel, at(p, part));
  }
};

struct Right : Packed {
  int64_t width(int64_t p) const { return quotient_up(panel_size(p), kLanes) * kLanes; }
  float* at(int64_t p, int64_t part) const { return pairs + p * panel * quotient_up(depth, 2) + part * (kDepth / 2) * width(p); }
  void pack(int64_t p, int64_t part) const {
    const auto packs = along_k ? pack_turned : pack_columns;
    packs(from(p, part), x_row, panel_size(p), part_depth(part), width(p), at(p, part));
  }
};

// c = activation(left right + start), for operands that are packed.
void multiply_packed(const Left& left, const Right& right, float* c, int64_t c_row, bool accumulate, const float* bias, Activation activation) {
  const int64_t panels = right.panels();
  int64_t rows = kRowBlock;
  while (rows > kPanelA / 2 && quotient_up(left.size, rows) * panels < 4 * num_threads()) rows /= 2;
  for_units(quotient_up(left.size, rows) * panels, left.size * right.size * left.depth, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t i = task / panels * rows, count = std::min(rows, left.size - i), panel = task % panels;
      const int64_t columns = right.panel_size(panel), width = right.width(panel);
      float* const block = c + i * c_row + panel * kPanelB;
      for (int64_t part = 0; part < left.parts(); ++part) {
        Depth t;
        t.pairs = quotient_up(left.part_depth(part), 2);
        t.b = right.at(panel, part);
        t.b_step = width;
        t.c_row = c_row;
        t.from_c = accumulate || part > 0;
        t.bias = bias == nullptr ? nullptr : bias + panel * kPanelB;
        t.last = (1u << (columns - (width - kLanes))) - 1;
        if (left.as_rows()) {
          t.a = left.at(0, part) + i * t.pairs;
          t.a_row = t.pairs;
          t.a_step = 1;
          t.c = block;
          multiply(t, count, width / kLanes);
        } else {
          t.a_row = 1;
          t.a_step = kPanelA;
          for (int64_t r = 0; r < count; r += kPanelA - (i + r) % kPanelA) {
            const int64_t p = (i + r) / kPanelA, inside = (i + r) % kPanelA;
            t.a = left.at(p, part) + inside;
            t.c = block + r * c_row;
            multiply(t, std::min(kPanelA - inside, count - r), width / kLanes);
          }
        }
      }
      if (activation != Activation::none) activate_rows(activation, block, count, columns, c_row);
    }
  });
}

// Each panel of each part of a, then of b, of which so many panels are packed.
void pack(const Left& left, int64_t of_left, const Right& right, int64_t of_right) {
  const int64_t parts = right.parts();
  for_units((of_left + of_right) * parts, (of_left * kPanelA + of_right * kPanelB) * right.depth * kPackWork, [&](int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; ++unit) {
      const int64_t panel = unit / parts, part = unit % parts;
      if (panel < of_left) left.pack(panel, part);
      else right.pack(panel - of_left, part);
    }
  });
}

}  // namespace

bool bf16_gemm_runs() {
  static const bool has = __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  return has && active_isa() == Isa::avx512;
}

int64_t Bf16Right::floats(int64_t k, int64_t n) { return quotient_up(n, kLanes) * kLanes * quotient_up(k, 2); }

Bf16Right::Bf16Right(const float* b, int64_t b_row, bool b_transposed, int64_t k, int64_t n, float* memory) : k_(k), n_(n), pairs_(memory) {
  const Right right{{b, b_row, b_transposed, n, kPanelB, k, memory}};
  pack({}, 0, right, right.panels());
}

void Bf16Right::multiply(int64_t m, const float* a, int64_t a_row, float* c, int64_t c_row, bool accumulate, const float* bias) const {
  const int64_t size = m * quotient_up(k_, 2);
  Workspace workspace(size);
  const Left left{{a, a_row, true, m, kPanelA, k_, workspace.take(size)}};
  const Right right{{nullptr, 0, false, n_, kPanelB, k_, pairs_}};
  pack(left, left.panels(), right, 0);
  multiply_packed(left, right, c, c_row, accumulate, bias, Activation::none);
}

void round_to_bf16(const float* x, int64_t n, float* pairs) {
  constexpr int64_t kGrain = int64_t{1} << 15;
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) { pack_rows(x + begin, 0, 1, end - begin, pairs + begin / 2); });
}

void bf16_gemm(const SmallGemm& g) {
  const bool a_along_k = g.a_step == 1;
  const int64_t a_row = a_along_k ? g.a_row : g.a_step;
  const int64_t pairs = quotient_up(std::min(g.k, kChunkK), 2);
  const int64_t chunk_m = std::min(quotient_up(g.m, kPanelA), std::max<int64_t>(kPairsA / pairs / kPanelA, 1)) * kPanelA;
  const int64_t chunk_n = std::min(quotient_up(g.n, kPanelB), std::max<int64_t>(kPairsB / pairs / kPanelB, 1)) * kPanelB;
  Workspace workspace(Workspace::rounded(chunk_m * pairs) + Workspace::rounded(chunk_n * pairs));
  float* const a_pairs = workspace.take(chunk_m * pairs);
  float* const b_pairs = workspace.take(chunk_n * pairs);
  for (int64_t k = 0; k < g.k; k += kChunkK) {
    const int64_t depth = std::min(kChunkK, g.k - k);
    const bool is_first = k == 0, is_last = k + depth == g.k;
    for (int64_t i = 0; i < g.m; i += chunk_m) {
      const Left left{{g.a + (a_along_k ? i * a_row + k : k * a_row + i), a_row, a_along_k, std::min(chunk_m, g.m - i), kPanelA, depth, a_pairs}};
      for (int64_t j = 0; j < g.n; j += chunk_n) {
        const Right right{{g.b + (g.b_transposed ? j * g.b_row + k : k * g.b_row + j), g.b_row, g.b_transposed, std::min(chunk_n, g.n - j), kPanelB, depth, b_pairs}};
        const int64_t of_left = j == 0 ? left.panels() : 0, of_right = i == 0 || chunk_n < g.n ? right.panels() : 0;
        pack(left, of_left, right, of_right);
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
