#include "danlu/engine/kernels/f16_gemm.h"

#include <hwy/base.h>

#include <algorithm>
#include <atomic>
#include <bit>

#include "danlu/base/error.h"
#include "danlu/engine/kernels/gemm_units.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/workspace.h"

#if HWY_ARCH_X86_64

#include <immintrin.h>

namespace danlu::kernels {
namespace {

constexpr int64_t kLanes = 32;                 // of f16
constexpr int64_t kPanelB = 4 * kLanes;        // columns
constexpr int64_t kPanelA = 48;                // rows in a panel of a transposed A
constexpr int64_t kExact = 64;                 // products that are summed in f16
constexpr int64_t kDepth = 4 * kExact;         // of k in a pass over C: that part of a panel of B stays in the first-level cache
constexpr int64_t kChunkK = 16 * kDepth;       // of k that is packed at once
constexpr int64_t kWordsA = int64_t{1} << 20;  // of packed operands, which stay in the caches
constexpr int64_t kNumbersB = int64_t{1} << 22;
constexpr int64_t kMostRows = 192, kLeastRows = 24;  // of a task
constexpr int64_t kUnit = 32;                        // rows that are packed at once, as they lie in memory
constexpr int kLargest = 3;                          // exponent of the largest number of an operand: 64 products below 2^8 are below 2^14

int64_t quotient_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t rounded_up(int64_t a, int64_t b) { return quotient_up(a, b) * b; }

// A number of A is a word with the number twice, which a broadcast of 32 bits brings to all lanes; one of B is half of a word.
struct Left {
  const float* x;
  int64_t x_row;
  bool along_k;
  int64_t size, depth;
  float scale;
  uint32_t* words;  // along k: rows; else panels, number (k, i) of one being panel[k * kPanelA + i]

  static int64_t floats(int64_t size, int64_t depth) { return rounded_up(size, kPanelA) * (depth + kGap); }
  int64_t row() const { return depth + kGap; }
  int64_t units() const { return quotient_up(along_k ? size : depth, kUnit); }

 private:
  static constexpr int64_t kGap = 16;  // rows are no power of two apart, whose lines would fall into few sets of the cache
};

struct Right {
  const float* x;
  int64_t x_row;
  bool along_k;
  int64_t size, depth;
  float scale;
  uint16_t* numbers;  // panels, number (k, j) of one being panel[k * width + j]; the last is narrower

  static int64_t floats(int64_t size, int64_t depth) { return rounded_up(size, kLanes) * depth / 2; }
  int64_t units() const { return quotient_up(along_k ? size : depth, kUnit); }
  int64_t panels() const { return quotient_up(size, kPanelB); }
  int64_t panel_size(int64_t panel) const { return std::min(kPanelB, size - panel * kPanelB); }
  int64_t width(int64_t panel) const { return rounded_up(panel_size(panel), kLanes); }
  uint16_t* at(int64_t panel) const { return numbers + panel * kPanelB * depth; }
};

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512vl,avx512fp16")

HWY_INLINE __mmask16 first(int64_t n) { return n >= 16 ? __mmask16{0xffff} : n <= 0 ? __mmask16{0} : static_cast<__mmask16>((1u << n) - 1); }

// Bits of the largest magnitude; that of a NaN is larger than that of infinity.
uint32_t largest_bits(const float* x, int64_t n) {
  const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
  __m512i most = _mm512_setzero_si512();
  for (int64_t i = 0; i < n; i += 16) {
    most = _mm512_max_epu32(most, _mm512_and_si512(magnitude, _mm512_castps_si512(_mm512_maskz_loadu_ps(first(n - i), x + i))));
  }
  alignas(64) uint32_t lanes[16];
  _mm512_store_si512(lanes, most);
  return *std::max_element(lanes, lanes + 16);
}

HWY_INLINE __m256i halves_of(const float* x, int64_t left, __m512 scale) {
  return _mm512_cvtps_ph(_mm512_mul_ps(_mm512_maskz_loadu_ps(first(left), x), scale), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

// 16 numbers, each twice in a word.
HWY_INLINE __m512i words_of(const float* x, int64_t left, __m512 scale) {
  const __m512i wide = _mm512_cvtepu16_epi32(halves_of(x, left, scale));
  return _mm512_or_si512(wide, _mm512_slli_epi32(wide, 16));
}

void pack(const Left& a, int64_t unit) {
  const __m512 scale = _mm512_set1_ps(a.scale);
  const int64_t end = std::min((unit + 1) * kUnit, a.along_k ? a.size : a.depth);
  for (int64_t r = unit * kUnit; r < end; ++r) {
    const float* const x = a.x + r * a.x_row;
    if (a.along_k) {
      uint32_t* const out = a.words + r * a.row();
      for (int64_t k = 0; k < a.depth; k += 16) _mm512_mask_storeu_epi32(out + k, first(a.depth - k), words_of(x + k, a.depth - k, scale));
    } else {
      for (int64_t i = 0; i < a.size; i += 16) {
        _mm512_storeu_si512(a.words + (i / kPanelA * a.depth + r) * kPanelA + i % kPanelA, words_of(x + i, a.size - i, scale));
      }
    }
  }
}

HWY_INLINE __m512i both(__m256i low, __m256i high) { return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1); }

// 32 columns that lie along k, from column j on.
void pack_turned(const Right& b, int64_t j) {
  const __m512 scale = _mm512_set1_ps(b.scale);
  const int64_t panel = j / kPanelB, width = b.width(panel), columns = std::min(kLanes, b.size - j);
  uint16_t* const out = b.at(panel) + j % kPanelB;
  constexpr int64_t kStep = 16;
  alignas(64) uint16_t block[kLanes][kStep];
  for (int64_t k = 0; k < b.depth; k += kStep) {
    const int64_t count = std::min(kStep, b.depth - k);
    for (int64_t c = 0; c < kLanes; ++c) {
      const __m256i halves = c < columns ? halves_of(b.x + (j + c) * b.x_row + k, b.depth - k, scale) : _mm256_setzero_si256();
      _mm256_store_si256(reinterpret_cast<__m256i*>(block[c]), halves);
    }
    // Numbers 2 q and 2 q + 1 of 16 columns as words, of 32 columns as two vectors; the lower halves of both are a row, the upper ones the next.
    const __m512i columns_apart =
        _mm512_mullo_epi32(_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0), _mm512_set1_epi32(kStep / 2));
    for (int64_t q = 0; 2 * q < count; ++q) {
      const auto* const words = reinterpret_cast<const int*>(block[0]) + q;
      const __m512i low = _mm512_i32gather_epi32(columns_apart, words, 4), high = _mm512_i32gather_epi32(columns_apart, words + 16 * kStep / 2, 4);
      const __m512i even = both(_mm512_cvtepi32_epi16(low), _mm512_cvtepi32_epi16(high));
      _mm512_storeu_si512(out + (k + 2 * q) * width, even);
      if (2 * q + 1 == count) break;
      _mm512_storeu_si512(out + (k + 2 * q + 1) * width,
                          both(_mm512_cvtepi32_epi16(_mm512_srli_epi32(low, 16)), _mm512_cvtepi32_epi16(_mm512_srli_epi32(high, 16))));
    }
  }
}

void pack(const Right& b, int64_t unit) {
  if (b.along_k) return pack_turned(b, unit * kUnit);
  const __m512 scale = _mm512_set1_ps(b.scale);
  for (int64_t k = unit * kUnit, end = std::min(k + kUnit, b.depth); k < end; ++k) {
    const float* const x = b.x + k * b.x_row;
    for (int64_t j = 0; j < b.size; j += kLanes) {
      const int64_t panel = j / kPanelB, left = b.size - j;
      _mm512_storeu_si512(b.at(panel) + k * b.width(panel) + j % kPanelB,
                          both(halves_of(x + j, left, scale), halves_of(x + j + 16, left - 16, scale)));
    }
  }
}

// What a tile reads and writes: number (r, k) of A is a[r * a_row + k * a_step], row k of B is b[k * b_step, ...).
struct Depth {
  const uint32_t* a;
  int64_t a_row, a_step;
  const uint16_t* b;
  int64_t b_step, k;
  float factor;  // of the sums in f16
  float* c;
  int64_t c_row, columns;
  bool from_c;        // sums start from C
  const float* bias;  // or from here, unless null
};

template <int kRows, int kColumns>
HWY_INLINE void tile(const Depth& t, int64_t i) {
  const uint32_t* a = t.a + i * t.a_row;
  const uint16_t* b = t.b;
  const __m512 factor = _mm512_set1_ps(t.factor);
  alignas(64) float sums[kRows][kColumns * kLanes];
  for (int64_t k = 0; k < t.k; k += kExact) {
    __m512h sum[kRows][kColumns];
#pragma GCC unroll 24
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < kColumns; ++v) sum[r][v] = _mm512_setzero_ph();
    }
    for (int64_t count = std::min(kExact, t.k - k); count > 0; --count) {
      __m512h row[kColumns];
#pragma GCC unroll 4
      for (int v = 0; v < kColumns; ++v) row[v] = _mm512_loadu_ph(b + v * kLanes);
#pragma GCC unroll 24
      for (int r = 0; r < kRows; ++r) {
        const __m512h number = _mm512_castsi512_ph(_mm512_set1_epi32(static_cast<int>(a[r * t.a_row])));
#pragma GCC unroll 4
        for (int v = 0; v < kColumns; ++v) sum[r][v] = _mm512_fmadd_ph(number, row[v], sum[r][v]);
      }
      a += t.a_step;
      b += t.b_step;
    }
    const bool is_first = k == 0, is_last = k + kExact >= t.k;
#pragma GCC unroll 24
    for (int r = 0; r < kRows; ++r) {
      float* const c = t.c + (i + r) * t.c_row;
#pragma GCC unroll 4
      for (int v = 0; v < kColumns; ++v) {
        const __m512d halves = _mm512_castph_pd(sum[r][v]);
#pragma GCC unroll 2
        for (int h = 0; h < 2; ++h) {
          float* const kept = sums[r] + v * kLanes + h * 16;
          __m512 total = _mm512_cvtxph_ps(_mm256_castpd_ph(h == 0 ? _mm512_castpd512_pd256(halves) : _mm512_extractf64x4_pd(halves, 1)));
          if (!is_first) total = _mm512_add_ps(total, _mm512_load_ps(kept));
          if (!is_last) {
            _mm512_store_ps(kept, total);
            continue;
          }
          const int64_t j = v * kLanes + h * 16;
          const __mmask16 mask = v + 1 < kColumns ? __mmask16{0xffff} : first(t.columns - j);
          const __m512 start = t.from_c            ? _mm512_maskz_loadu_ps(mask, c + j)
                               : t.bias != nullptr ? _mm512_maskz_loadu_ps(mask, t.bias + j)
                                                   : _mm512_setzero_ps();
          _mm512_mask_storeu_ps(c + j, mask, _mm512_fmadd_ps(total, factor, start));
        }
      }
    }
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

HWY_POP_ATTRIBUTES

void multiply(const Depth& t, int64_t rows) {
  switch (quotient_up(t.columns, kLanes)) {
    case 1:
      return tiles<24, 1>(t, 0, rows);
    case 2:
      return tiles<12, 2>(t, 0, rows);
    case 3:
      return tiles<8, 3>(t, 0, rows);
    default:
      return tiles<6, 4>(t, 0, rows);
  }
}

// The power of two that brings the largest of `rows` rows of n numbers to [2^kLargest, 2^(kLargest + 1)). 1 for what has no finite largest number, or
// none.
float scale_of(const float* x, int64_t x_row, int64_t rows, int64_t n) {
  std::atomic<uint32_t> largest{0};
  for_units(quotient_up(rows, kUnit), rows * n * kPackWork / 2, [&](int64_t unit) {
    uint32_t most = 0;
    for (int64_t i = unit * kUnit; i < std::min((unit + 1) * kUnit, rows); ++i) most = std::max(most, largest_bits(x + i * x_row, n));
    for (uint32_t before = largest; before < most && !largest.compare_exchange_weak(before, most);) {
    }
  });
  const int exponent = static_cast<int>(largest >> 23);
  if (exponent == 0 || exponent == 255) return 1;
  const int wanted = std::clamp(127 + kLargest - (exponent - 127), 1, 254);
  return std::bit_cast<float>(static_cast<uint32_t>(wanted) << 23);
}

// c = activation(left right + start), for operands that are packed.
void multiply_packed(const Left& left, const Right& right, float factor, float* c, int64_t c_row, bool accumulate, const float* bias,
                     Activation activation) {
  const int64_t panels = right.panels();
  int64_t rows = kMostRows;
  while (rows > kLeastRows && quotient_up(left.size, rows) * panels < 4 * num_threads()) rows /= 2;
  const int64_t blocks = quotient_up(left.size, rows);
  const bool by_panels = right.along_k;  // the rows of weights, as the optimiser divides them too
  for_units(blocks * panels, left.size * right.size * left.depth, [&](int64_t task) {
    const int64_t panel = by_panels ? task / blocks : task % panels;
    const int64_t i = (by_panels ? task % blocks : task / panels) * rows;
    const int64_t count = std::min(rows, left.size - i), columns = right.panel_size(panel), width = right.width(panel);
    float* const block = c + i * c_row + panel * kPanelB;
    for (int64_t k = 0; k < left.depth; k += kDepth) {
      Depth t{.a = nullptr,
              .a_row = left.along_k ? left.row() : 1,
              .a_step = left.along_k ? 1 : kPanelA,
              .b = right.at(panel) + k * width,
              .b_step = width,
              .k = std::min(kDepth, left.depth - k),
              .factor = factor,
              .c = block,
              .c_row = c_row,
              .columns = columns,
              .from_c = accumulate || k > 0,
              .bias = bias == nullptr ? nullptr : bias + panel * kPanelB};
      if (left.along_k) {
        t.a = left.words + i * left.row() + k;
        multiply(t, count);
        continue;
      }
      for (int64_t r = 0, inside = i % kPanelA; r < count; r += kPanelA - inside, inside = 0) {
        t.a = left.words + ((i + r) / kPanelA * left.depth + k) * kPanelA + inside;
        t.c = block + r * c_row;
        multiply(t, std::min(kPanelA - inside, count - r));
      }
    }
    if (activation != Activation::none) activate_rows(activation, block, count, columns, c_row);
  });
}

// As many units of each as are given.
void pack(const Left& left, int64_t of_left, const Right& right, int64_t of_right) {
  const int64_t numbers = (of_left > 0 ? left.size * left.depth : 0) + (of_right > 0 ? right.size * right.depth : 0);
  for_both(
      of_left, of_right, numbers * kPackWork, [&](int64_t unit) { pack(left, unit); }, [&](int64_t unit) { pack(right, unit); });
}

uint32_t* words(float* memory) { return reinterpret_cast<uint32_t*>(memory); }
uint16_t* numbers(float* memory) { return reinterpret_cast<uint16_t*>(memory); }

}  // namespace

bool f16_gemm_runs() {
  static const bool has = __builtin_cpu_supports("avx512fp16") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  return has && active_isa() >= Isa::avx512;
}

int64_t F16Right::floats(int64_t k, int64_t n) { return Right::floats(n, k); }

F16Right::F16Right(const float* b, int64_t b_row, bool b_transposed, int64_t k, int64_t n, float* memory) : k_(k), n_(n), packed_(memory) {
  const float scale = b_transposed ? scale_of(b, b_row, n, k) : scale_of(b, b_row, k, n);
  inverse_scale_ = 1 / scale;
  const Right right{b, b_row, b_transposed, n, k, scale, numbers(memory)};
  pack({}, 0, right, right.units());
}

void F16Right::multiply(int64_t m, const float* a, int64_t a_row, float* c, int64_t c_row, bool accumulate, const float* bias) const {
  Workspace workspace(Left::floats(m, k_));
  const float scale = scale_of(a, a_row, m, k_);
  const Left left{a, a_row, true, m, k_, scale, words(workspace.take(Left::floats(m, k_)))};
  pack(left, left.units(), {}, 0);
  multiply_packed(left, {nullptr, 0, false, n_, k_, 1, numbers(packed_)}, inverse_scale_ / scale, c, c_row, accumulate, bias, Activation::none);
}

void f16_gemm(const SmallGemm& g) {
  const float a_scale = a_along_k(g) ? scale_of(g.a, a_row(g), g.m, g.k) : scale_of(g.a, a_row(g), g.k, g.m);
  const float b_scale = g.b_transposed ? scale_of(g.b, g.b_row, g.n, g.k) : scale_of(g.b, g.b_row, g.k, g.n);
  const float factor = 1 / a_scale / b_scale;
  const int64_t deepest = std::min(g.k, kChunkK);
  const int64_t most_m = std::min(quotient_up(g.m, kPanelA), std::max<int64_t>(kWordsA / Left::floats(kPanelA, deepest), 1)) * kPanelA;
  const int64_t most_n = std::min(quotient_up(g.n, kPanelB), std::max<int64_t>(kNumbersB / (kPanelB * deepest), 1)) * kPanelB;
  const int64_t a_floats = Left::floats(most_m, deepest), b_floats = Right::floats(most_n, deepest);
  Workspace workspace(Workspace::rounded(a_floats) + Workspace::rounded(b_floats));
  uint32_t* const a_words = words(workspace.take(a_floats));
  uint16_t* const b_numbers = numbers(workspace.take(b_floats));
  for_chunks(g, most_m, most_n, kChunkK, [&](const GemmChunk& chunk) {
    const Left left{chunk.a, chunk.a_row, chunk.a_along_k, chunk.rows, chunk.depth, a_scale, a_words};
    const Right right{chunk.b, g.b_row, g.b_transposed, chunk.columns, chunk.depth, b_scale, b_numbers};
    pack(left, chunk.new_left ? left.units() : 0, right, chunk.new_right ? right.units() : 0);
    multiply_packed(left, right, factor, chunk.c, g.c_row, chunk.accumulate, chunk.bias, chunk.activation);
  });
}

}  // namespace danlu::kernels

#else

namespace danlu::kernels {
namespace {

[[noreturn]] void cannot_run() { throw InternalError("engine.kernels", "a product in f16 on a processor without it"); }

}  // namespace

bool f16_gemm_runs() { return false; }
void f16_gemm(const SmallGemm&) { cannot_run(); }
int64_t F16Right::floats(int64_t, int64_t) { cannot_run(); }
F16Right::F16Right(const float*, int64_t, bool, int64_t, int64_t, float*) { cannot_run(); }
void F16Right::multiply(int64_t, const float*, int64_t, float*, int64_t, bool, const float*) const { cannot_run(); }

}  // namespace danlu::kernels

#endif
