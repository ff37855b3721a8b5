// Small products of matrices in cache, for attention: C = A B or C += A B, where C has rows of whole vectors. Compiled once for
// each instruction set: include it inside a file that is itself included by hwy/foreach_target.h.

#if defined(DANLU_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef DANLU_TILE_INL_H_
#undef DANLU_TILE_INL_H_
#else
#define DANLU_TILE_INL_H_
#endif

#include <cstdint>

#include "danlu/engine/kernels/f16.inl.h"
#include "danlu/engine/kernels/vector_map.inl.h"
#include "hwy/cache_control.h"

HWY_BEFORE_NAMESPACE();
namespace danlu::kernels::HWY_NAMESPACE {

// The sums of a block stay in registers: 4 x 4 vectors of the 32 that AVX-512 has, 4 x 2 of 16.
constexpr int kBlockRows = 4;
constexpr int kBlockVectors = HWY_TARGET <= HWY_AVX3 ? 4 : 2;

constexpr int64_t kAhead = 16;  // rows between what is asked for and what is read

// Element (i, k) is p[i * row + k * step].
struct Left {
  const float* p;
  int64_t row, step;
};
// Row k is p[k * row, ...), of f32 or f16.
template <class Number>
struct Right {
  const Number* p;
  int64_t row;
};
template <class Number>
Right(const Number* p, int64_t row) -> Right<Number>;

// kBlockRows rows, kVectors vectors of columns: c = a b, or c += a b.
template <int kVectors, class Number>
HWY_INLINE void multiply_block(Left a, Right<Number> b, int64_t steps, bool add, float* c, int64_t c_row) {
  const F32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  VecF sum[kBlockRows][kVectors];
#pragma GCC unroll 4
  for (int i = 0; i < kBlockRows; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sum[i][v] = add ? hn::LoadU(d, c + i * c_row + v * lanes) : hn::Zero(d);
  }
  for (int64_t k = 0; k < steps; ++k) {
    VecF row[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) row[v] = load(d, b.p + k * b.row + v * lanes);
#pragma GCC unroll 4
    for (int i = 0; i < kBlockRows; ++i) {
      const VecF factor = hn::Set(d, a.p[i * a.row + k * a.step]);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[i][v] = hn::MulAdd(factor, row[v], sum[i][v]);
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < kBlockRows; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) hn::StoreU(sum[i][v], d, c + i * c_row + v * lanes);
  }
}

// The same for n columns, a multiple of the lanes.
template <class Number>
HWY_INLINE void multiply(Left a, Right<Number> b, int64_t n, int64_t steps, bool add, float* c, int64_t c_row) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(F32()));
  int64_t j = 0;
  for (; j + kBlockVectors * lanes <= n; j += kBlockVectors * lanes) {
    multiply_block<kBlockVectors>(a, Right{b.p + j, b.row}, steps, add, c + j, c_row);
  }
  if (kBlockVectors > 2 && j + 2 * lanes <= n) {
    multiply_block<2>(a, Right{b.p + j, b.row}, steps, add, c + j, c_row);
    j += 2 * lanes;
  }
  for (; j < n; j += lanes) multiply_block<1>(a, Right{b.p + j, b.row}, steps, add, c + j, c_row);
}

// Asks for a row that will be read or written soon: rows far apart are not foreseen by the processor.
HWY_INLINE void prefetch_row(const float* x, int64_t n) {
  for (int64_t j = 0; j < n; j += 16) hwy::Prefetch(x + j);  // a line each
}
HWY_INLINE void prefetch_rows(const float* x, int64_t x_row, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i) prefetch_row(x + i * x_row, n);
}

// y (n, y_row) = transpose of x (rows, x_row), n columns of it.
inline void transpose(const float* x, int64_t x_row, int64_t rows, int64_t n, float* y, int64_t y_row) {
  int64_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::Full128<float> d;
  for (; i + 4 <= rows; i += 4) {
    const float* from = x + i * x_row;
    prefetch_rows(from + kAhead * x_row, x_row, 4, n);
    int64_t j = 0;
    for (; j + 4 <= n; j += 4) {
      const auto a = hn::LoadU(d, from + j), b = hn::LoadU(d, from + x_row + j);
      const auto c = hn::LoadU(d, from + 2 * x_row + j), e = hn::LoadU(d, from + 3 * x_row + j);
      const auto ac_low = hn::InterleaveLower(d, a, c), be_low = hn::InterleaveLower(d, b, e);    // a0 c0 a1 c1, b0 e0 b1 e1
      const auto ac_high = hn::InterleaveUpper(d, a, c), be_high = hn::InterleaveUpper(d, b, e);  // a2 c2 a3 c3, ...
      float* to = y + j * y_row + i;
      hn::StoreU(hn::InterleaveLower(d, ac_low, be_low), d, to);
      hn::StoreU(hn::InterleaveUpper(d, ac_low, be_low), d, to + y_row);
      hn::StoreU(hn::InterleaveLower(d, ac_high, be_high), d, to + 2 * y_row);
      hn::StoreU(hn::InterleaveUpper(d, ac_high, be_high), d, to + 3 * y_row);
    }
    for (; j < n; ++j) {
      for (int64_t r = 0; r < 4; ++r) y[j * y_row + i + r] = from[r * x_row + j];
    }
  }
#endif
  for (; i < rows; ++i) {
    for (int64_t j = 0; j < n; ++j) y[j * y_row + i] = x[i * x_row + j];
  }
}

}  // namespace danlu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
