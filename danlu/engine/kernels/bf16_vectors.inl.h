// Vectors of numbers rounded to bf16, for the kernels of half precision on x86.
#pragma once

#include <hwy/base.h>
#include <immintrin.h>

#include "danlu/engine/kernels/bf16_operand.h"

namespace danlu::kernels::bf16 {

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512vl,avx512bf16")

constexpr __mmask16 kAll = 0xffff;

HWY_INLINE __m512 rounded(__m512 low, __m512 high) { return reinterpret_cast<__m512>(_mm512_cvtne2ps_pbh(high, low)); }

HWY_INLINE __mmask16 first(int64_t n) { return n >= kLanes ? kAll : n <= 0 ? __mmask16{0} : static_cast<__mmask16>((1u << n) - 1); }

// 32 numbers from x, of which `left` are there, as 16 pairs.
HWY_INLINE __m512 pairs_of(const float* x, int64_t left) {
  if (left >= 2 * kLanes) return rounded(_mm512_loadu_ps(x), _mm512_loadu_ps(x + kLanes));
  return rounded(_mm512_maskz_loadu_ps(first(left), x), _mm512_maskz_loadu_ps(first(left - kLanes), x + kLanes));
}

// Sixteen pairs of a number of one row and that below it.
HWY_INLINE __m512 pairs_of_rows(__m512 even, __m512 odd) {
  const __m512i beside = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8,  //
                                          23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  return _mm512_castsi512_ps(_mm512_permutexvar_epi16(beside, _mm512_castps_si512(rounded(even, odd))));
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

HWY_POP_ATTRIBUTES

}  // namespace danlu::kernels::bf16
