// Outside Highway's dispatch: its set of instructions for AVX-512 has no VNNI, and one with it would compile every kernel once more.

#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/quantized_rows.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>

#include "danlu/base/cpu.h"

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,f16c,fma")

namespace danlu::kernels {
namespace {

constexpr int64_t kSteps = kGroup / 4;

// Asks for weights before they are read. Few rows wait for memory alone; with more the processor is busy for longer between one line and the next.
template <int kRows>
inline __attribute__((always_inline)) void ask_ahead(const uint8_t* codes) {
  constexpr bool kFew = kRows <= 4;
  _mm_prefetch(reinterpret_cast<const char*>(reinterpret_cast<uintptr_t>(codes) + (kFew ? 2048 : 16384)), kFew ? _MM_HINT_T1 : _MM_HINT_T0);
}

constexpr __mmask16 kAll = 0xffff;  // instead of the forms without a mask, of which GCC 12 says that they read what is not set

inline __m512 scales_of(const uint8_t* unit, int64_t group) {
  return _mm512_maskz_cvtph_ps(kAll, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(unit + group * 32)));
}

inline __m512i four_codes(const int8_t* codes) {
  int32_t four;
  __builtin_memcpy(&four, codes, sizeof four);
  return _mm512_set1_epi32(four);
}

// Adds the products of one group of kRows rows to their sums.
template <int kRows>
inline __attribute__((always_inline)) void add_group(const __m512i (&w)[kSteps], __m512 scale, QuantizedTile& x, __m512 (&sum)[kRows]) {
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    __m512i even = _mm512_set1_epi32(x.start[r]), odd = _mm512_setzero_si512();
#pragma GCC unroll 8
    for (int64_t s = 0; s < kSteps; s += 2) {
      even = _mm512_dpbusd_epi32(even, w[s], four_codes(x.codes + r * kGroup + 4 * s));
      odd = _mm512_dpbusd_epi32(odd, w[s + 1], four_codes(x.codes + r * kGroup + 4 * s + 4));
    }
    sum[r] = _mm512_fmadd_ps(_mm512_maskz_cvtepi32_ps(kAll, _mm512_add_epi32(even, odd)), _mm512_mul_ps(scale, _mm512_set1_ps(x.scales[r])), sum[r]);
  }
  x.codes += kRows * kGroup;
  x.scales += kRows;
  x.start += kRows;
}

template <WeightFormat kFormat, int kRows>
void tile_of_block(const QuantizedBlock& b) {
  QuantizedTile x = b.x;
  const auto mask = static_cast<__mmask16>((1u << b.count) - 1);
  const __m512 start = b.bias == nullptr ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(mask, b.bias);
  __m512 sum[kRows];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) sum[r] = start;
  const uint8_t* unit = b.weights;
  for (int64_t u = 0; u < b.units; ++u, unit += unit_bytes(kFormat)) {
    const uint8_t* codes = unit + 64;
    __m512i w[kSteps];
    if constexpr (kFormat == WeightFormat::q8) {
#pragma GCC unroll 2
      for (int64_t group = 0; group < 2; ++group) {
#pragma GCC unroll 8
        for (int64_t s = 0; s < kSteps; ++s) {
          w[s] = _mm512_loadu_si512(codes + (group * kSteps + s) * 64);
          ask_ahead<kRows>(codes + (group * kSteps + s) * 64);
        }
        add_group<kRows>(w, scales_of(unit, group), x, sum);
      }
    } else {
      const __m512i low = _mm512_set1_epi8(0x0f);
#pragma GCC unroll 8
      for (int64_t s = 0; s < kSteps; ++s) {
        w[s] = _mm512_and_si512(_mm512_loadu_si512(codes + s * 64), low);
        ask_ahead<kRows>(codes + s * 64);
      }
      add_group<kRows>(w, scales_of(unit, 0), x, sum);
#pragma GCC unroll 8
      for (int64_t s = 0; s < kSteps; ++s) w[s] = _mm512_and_si512(_mm512_srli_epi16(_mm512_loadu_si512(codes + s * 64), 4), low);
      add_group<kRows>(w, scales_of(unit, 1), x, sum);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) _mm512_mask_storeu_ps(b.y + r * b.y_row, mask, sum[r]);
}

template <WeightFormat kFormat, int kRows>
void block_of(const QuantizedBlock& b) {
  if (b.x.rows == kRows) return tile_of_block<kFormat, kRows>(b);
  if constexpr (kRows > 1) block_of<kFormat, kRows - 1>(b);
}

}  // namespace

void quantized_block_vnni(const QuantizedBlock& block) {
  block.format == WeightFormat::q8 ? block_of<WeightFormat::q8, kTileRows>(block) : block_of<WeightFormat::q4, kTileRows>(block);
}

}  // namespace danlu::kernels

#pragma GCC pop_options

namespace danlu::kernels {

bool has_vnni() {
  static const bool has = [] {
    const auto& features = cpu_info().features;
    return std::find(features.begin(), features.end(), "avx512_vnni") != features.end();
  }();
  return has && active_isa() >= Isa::avx512;
}

}  // namespace danlu::kernels

#else

namespace danlu::kernels {

bool has_vnni() { return false; }
void quantized_block_vnni(const QuantizedBlock&) {}

}  // namespace danlu::kernels

#endif
