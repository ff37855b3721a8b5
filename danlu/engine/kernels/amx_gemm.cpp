#include "danlu/engine/kernels/amx_gemm.h"

#include <hwy/base.h>

#if HWY_ARCH_X86

#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "danlu/engine/kernels/amx_tiles.h"

namespace danlu::kernels::bf16 {
namespace {

constexpr int64_t kSize = kTile * kTile;
constexpr int64_t kTileRow = kTile * sizeof(float);  // bytes
constexpr int64_t kBlock = 2 * kTile;
constexpr int64_t kDepth = 24 * kTile;  // pairs that a block sums at once: two columns of tiles of B stay in the first-level cache

// Sums of a block at the edge of C, which whole tiles would overrun.
struct alignas(64) Edge {
  float sums[kBlock][kBlock];
};

HWY_PUSH_ATTRIBUTES("avx512f,amx-tile,amx-bf16")

// Tiles 0 to 3 are sums, 4 and 5 two columns of B, 6 and 7 two rows of A. c or bias (with c_row 0) is where the sums start; null: from zero.
template <bool kTwoRows, bool kTwoColumns>
HWY_INLINE void block(const float* a, int64_t a_stride, const float* b, int64_t b_stride, int64_t pairs, const float* start, int64_t start_row,
                      float* c, int64_t c_row) {
  constexpr int64_t kFloat = sizeof(float);
  if (start == nullptr) {
    _tile_zero(0);
    if constexpr (kTwoColumns) _tile_zero(1);
    if constexpr (kTwoRows) _tile_zero(2);
    if constexpr (kTwoRows && kTwoColumns) _tile_zero(3);
  } else {
    _tile_loadd(0, start, start_row * kFloat);
    if constexpr (kTwoColumns) _tile_loadd(1, start + kTile, start_row * kFloat);
    if constexpr (kTwoRows) _tile_loadd(2, start + kTile * start_row, start_row * kFloat);
    if constexpr (kTwoRows && kTwoColumns) _tile_loadd(3, start + kTile * start_row + kTile, start_row * kFloat);
  }
  for (const float* const end = a + pairs * kTile; a < end; a += kSize, b += kSize) {
    _tile_loadd(4, b, kTileRow);
    if constexpr (kTwoColumns) _tile_loadd(5, b + b_stride, kTileRow);
    _tile_loadd(6, a, kTileRow);
    _tile_dpbf16ps(0, 6, 4);
    if constexpr (kTwoColumns) _tile_dpbf16ps(1, 6, 5);
    if constexpr (kTwoRows) {
      _tile_loadd(7, a + a_stride, kTileRow);
      _tile_dpbf16ps(2, 7, 4);
      if constexpr (kTwoColumns) _tile_dpbf16ps(3, 7, 5);
    }
  }
  _tile_stored(0, c, c_row * kFloat);
  if constexpr (kTwoColumns) _tile_stored(1, c + kTile, c_row * kFloat);
  if constexpr (kTwoRows) _tile_stored(2, c + kTile * c_row, c_row * kFloat);
  if constexpr (kTwoRows && kTwoColumns) _tile_stored(3, c + kTile * c_row + kTile, c_row * kFloat);
}

void block_of(int64_t rows, int64_t columns, const float* a, int64_t a_stride, const float* b, int64_t b_stride, int64_t pairs, const float* start,
              int64_t start_row, float* c, int64_t c_row) {
  if (rows > kTile) {
    if (columns > kTile)
      block<true, true>(a, a_stride, b, b_stride, pairs, start, start_row, c, c_row);
    else
      block<true, false>(a, a_stride, b, b_stride, pairs, start, start_row, c, c_row);
  } else {
    if (columns > kTile)
      block<false, true>(a, a_stride, b, b_stride, pairs, start, start_row, c, c_row);
    else
      block<false, false>(a, a_stride, b, b_stride, pairs, start, start_row, c, c_row);
  }
}

void multiply_all(const TileProduct& t, Edge& edge) {
  static constexpr TileConfiguration kConfiguration;
  _tile_loadconfig(&kConfiguration);
  for (int64_t pair = 0; pair < t.pairs; pair += kDepth) {
    const int64_t pairs = std::min(kDepth, t.pairs - pair);
    const bool from_c = t.accumulate || pair > 0;
    for (int64_t j = 0; j < t.columns; j += kBlock) {
      const int64_t columns = std::min(kBlock, t.columns - j);
      const float* const b = t.b + j / kTile * t.b_stride + pair * kTile;
      for (int64_t i = 0; i < t.rows; i += kBlock) {
        const int64_t rows = std::min(kBlock, t.rows - i);
        const float* const a = t.a + i / kTile * t.a_stride + pair * kTile;
        float* const c = t.c + i * t.c_row + j;
        const float* const bias = t.bias == nullptr ? nullptr : t.bias + j;
        if (rows % kTile == 0 && columns % kTile == 0) {
          block_of(rows, columns, a, t.a_stride, b, t.b_stride, pairs, from_c ? c : bias, from_c ? t.c_row : 0, c, t.c_row);
          continue;
        }
        const bool starts = from_c || bias != nullptr;
        const auto bytes = static_cast<size_t>(columns) * sizeof(float);
        for (int64_t r = 0; starts && r < rows; ++r) std::memcpy(edge.sums[r], from_c ? c + r * t.c_row : bias, bytes);
        block_of(rows, columns, a, t.a_stride, b, t.b_stride, pairs, starts ? edge.sums[0] : nullptr, kBlock, edge.sums[0], kBlock);
        for (int64_t r = 0; r < rows; ++r) std::memcpy(c + r * t.c_row, edge.sums[r], bytes);
      }
    }
  }
  _tile_release();
}

HWY_POP_ATTRIBUTES

}  // namespace

void multiply_tiles(const TileProduct& product) {
  Edge edge{};
  multiply_all(product, edge);
}

}  // namespace danlu::kernels::bf16

#else

namespace danlu::kernels::bf16 {

void multiply_tiles(const TileProduct&) {}

}  // namespace danlu::kernels::bf16

#endif
