#include "danlu/engine/kernels/bf16_operand.h"

#include <hwy/base.h>

#if HWY_ARCH_X86

#include "danlu/engine/kernels/bf16_vectors.inl.h"

namespace danlu::kernels::bf16 {
namespace {

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512vl,avx512bf16")

// Rows that lie along k.
void pack_rows(const float* x, int64_t x_row, int64_t rows, int64_t depth, float* out, int64_t out_row) {
  const int64_t pairs = quotient_up(depth, 2);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t p = 0; p < pairs; p += kLanes) _mm512_mask_storeu_ps(out + p, first(pairs - p), pairs_of(x + 2 * p, depth - 2 * p));
    x += x_row;
    out += out_row;
  }
}

// Columns of a matrix whose rows go on along k, from pair `pair` on. What is beyond `columns` becomes 0.
void pack_columns(const float* x, int64_t x_row, int64_t columns, int64_t depth, int64_t pair, const Panels& panels) {
  for (int64_t k = 0; k < depth; k += 2) {
    for (int64_t panel = 0; panel < panels.count; ++panel) {
      const int64_t from = panel * panels.width, width = panels.width_of(panel);
      float* const out = panels.at(panel) + (pair + k / 2) * width;
      for (int64_t j = 0; j < width; j += kLanes) {
        const __mmask16 mask = first(columns - from - j), second = k + 1 < depth ? mask : static_cast<__mmask16>(0);
        _mm512_store_ps(out + j, pairs_of_rows(_mm512_maskz_loadu_ps(mask, x + from + j), _mm512_maskz_loadu_ps(second, x + x_row + from + j)));
      }
    }
    x += 2 * x_row;
  }
}

// As many columns as a vector has lanes, or `columns` of them, of a matrix whose columns lie along k.
void pack_turned(const float* x, int64_t x_column, int64_t columns, int64_t depth, int64_t pairs, float* out, int64_t width) {
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

// Tiles of A where it lies along k: up to 32 rows from row i on.
void tile_rows(const Operand& a, int64_t i, int64_t rows) {
  for (int64_t r = i; r < i + rows; ++r) {
    const float* const x = a.x + r * a.x_row;
    float* out = a.tile(r / kLanes, 0) + r % kLanes * kLanes;
    for (int64_t k = 0; k < a.depth; k += 2 * kLanes, out += kLanes * kLanes) _mm512_store_ps(out, pairs_of(x + k, a.depth - k));
  }
}

// Pair p of 16 columns from x on: of rows 2 p and 2 p + 1, of which `depth` are there.
HWY_INLINE __m512 pair_below(const float* x, int64_t x_row, int64_t p, int64_t depth, __mmask16 mask) {
  const __mmask16 none = 0, even = 2 * p < depth ? mask : none, odd = 2 * p + 1 < depth ? mask : none;
  return pairs_of_rows(_mm512_maskz_loadu_ps(even, x + 2 * p * x_row), _mm512_maskz_loadu_ps(odd, x + (2 * p + 1) * x_row));
}

// Tiles of an operand whose rows go on along k: those of 32 rows from row k on. Of A they are turned.
template <bool kTurned>
void tile_columns(const Operand& operand, int64_t k, int64_t depth) {
  for (int64_t j = 0; j < operand.size; j += kLanes) {
    const __mmask16 mask = first(operand.size - j);
    const float* const x = operand.x + k * operand.x_row + j;
    __m512 v[kLanes];
    if (depth == 2 * kLanes) {
#pragma GCC unroll 16
      for (int64_t p = 0; p < kLanes; ++p) v[p] = pair_below(x, operand.x_row, p, 2 * kLanes, mask);
    } else {
#pragma GCC unroll 16
      for (int64_t p = 0; p < kLanes; ++p) v[p] = pair_below(x, operand.x_row, p, depth, mask);
    }
    if constexpr (kTurned) transpose_16(v);
    float* const out = operand.tile(j / kLanes, k / 2);
#pragma GCC unroll 16
    for (int64_t r = 0; r < kLanes; ++r) _mm512_store_ps(out + r * kLanes, v[r]);
  }
}

HWY_POP_ATTRIBUTES

}  // namespace

void Left::pack(int64_t unit) const {
  const int64_t from = unit * kUnit, count = unit_size(unit);
  if (in_tiles) return along_k ? tile_rows(*this, from, count) : tile_columns<true>(*this, from, count);
  if (along_k) return pack_rows(x + from * x_row, x_row, count, depth, pairs + from * row(), row());
  pack_columns(x + from * x_row, x_row, size, count, from / 2, panels());
}

void Right::pack(int64_t unit) const {
  const int64_t from = unit * kUnit, count = unit_size(unit);
  if (!along_k) return in_tiles ? tile_columns<false>(*this, from, count) : pack_columns(x + from * x_row, x_row, size, count, from / 2, panels());
  const Panels to = panels();
  for (int64_t j = from; j < from + count; j += kLanes) {
    const int64_t panel = j / kPanelB;
    float* const out = in_tiles ? tile(j / kLanes, 0) : to.at(panel) + j % kPanelB;
    pack_turned(x + j * x_row, x_row, std::min(kLanes, size - j), depth, all_pairs(), out, in_tiles ? kLanes : to.width_of(panel));
  }
}

void round_row(const float* x, int64_t n, float* pairs) { pack_rows(x, 0, 1, n, pairs, 0); }

}  // namespace danlu::kernels::bf16

#endif
