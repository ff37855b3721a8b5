#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "danlu/engine/kernels/linear_rows.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include <algorithm>

#include "danlu/base/threads.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/linear_rows.h"
#include "danlu/engine/kernels/vector_map.inl.h"
#include "hwy/cache_control.h"

#ifndef DANLU_LINEAR_ROWS_
#define DANLU_LINEAR_ROWS_
namespace danlu::kernels {

struct LinearRows {
  const float *x, *w, *bias;
  float* y;
  int64_t m, n, k;
};

}  // namespace danlu::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace danlu::kernels::HWY_NAMESPACE {
namespace {

// A tile: rows of x by rows of w, whose sums stay in registers: 6 x 4 of the 32 that AVX-512 has, 2 x 4 of 16.
constexpr int kOutputs = 4;
constexpr int kRows = HWY_TARGET <= HWY_AVX3 ? 6 : 2;
// Rows of x that stay in the first-level cache while the weights pass.
constexpr int64_t kCachedFloats = 6144;

#if HWY_TARGET == HWY_SCALAR
// The sums of four vectors.
HWY_INLINE void sums_of_lanes(F32, const VecF* v, float* out) {
  for (int i = 0; i < kOutputs; ++i) out[i] = hn::GetLane(v[i]);
}
#else
// Adds the blocks of 128 bits.
template <class D, class V>
HWY_INLINE hn::Vec<hn::Full128<float>> sum_of_blocks(D d, V v) {
  if constexpr (hn::MaxLanes(D()) > 4) {
    const hn::Half<D> half;
    return sum_of_blocks(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  } else {
    return v;
  }
}

// The sums of four vectors: lanes 0 and 2, 1 and 3 of a block first, then the two, then the blocks.
HWY_INLINE void sums_of_lanes(F32 d, const VecF* v, float* out) {
  const hn::Repartition<double, F32> pairs;
  const auto ab = hn::BitCast(pairs, hn::Add(hn::InterleaveLower(d, v[0], v[1]), hn::InterleaveUpper(d, v[0], v[1])));
  const auto ce = hn::BitCast(pairs, hn::Add(hn::InterleaveLower(d, v[2], v[3]), hn::InterleaveUpper(d, v[2], v[3])));
  const VecF sums = hn::Add(hn::BitCast(d, hn::InterleaveLower(pairs, ab, ce)), hn::BitCast(d, hn::InterleaveUpper(pairs, ab, ce)));
  hn::StoreU(sum_of_blocks(d, sums), hn::Full128<float>(), out);
}
#endif

// One step along k for a tile.
template <int kTileRows, class Load>
HWY_INLINE void add_step(const LinearRows& s, const float* const* w, const float* x, int64_t p, VecF (&sum)[kTileRows][kOutputs], const Load& load) {
  VecF weights[kOutputs];
  HWY_UNROLL(4)
  for (int j = 0; j < kOutputs; ++j) weights[j] = load(w[j] + p);
  HWY_UNROLL(6)
  for (int r = 0; r < kTileRows; ++r) {
    const VecF v = load(x + r * s.k + p);
    HWY_UNROLL(4)
    for (int j = 0; j < kOutputs; ++j) sum[r][j] = hn::MulAdd(v, weights[j], sum[r][j]);
  }
}

// kTileRows rows from row i, outputs j to j + count (at most kOutputs).
template <int kTileRows>
HWY_INLINE void tile(const LinearRows& s, int64_t i, int64_t j, int64_t count) {
  const F32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const float* w[kOutputs];
  for (int64_t o = 0; o < kOutputs; ++o) w[o] = s.w + (j + std::min(o, count - 1)) * s.k;
  const float* x = s.x + i * s.k;
  VecF sum[kTileRows][kOutputs];
  HWY_UNROLL(6)
  for (int r = 0; r < kTileRows; ++r) {
    HWY_UNROLL(4)
    for (int o = 0; o < kOutputs; ++o) sum[r][o] = hn::Zero(d);
  }
  int64_t p = 0;
  for (; p + lanes <= s.k; p += lanes) {
    // The weights of the next tile, which lie behind these.
    HWY_UNROLL(4)
    for (int o = 0; o < kOutputs; ++o) hwy::Prefetch(w[o] + kOutputs * s.k + p);
    add_step<kTileRows>(s, w, x, p, sum, [d](const float* from) HWY_ATTR { return hn::LoadU(d, from); });
  }
  if (p < s.k) add_step<kTileRows>(s, w, x, p, sum, [d, rest = s.k - p](const float* from) HWY_ATTR { return load_tail(d, from, rest); });
  HWY_UNROLL(6)
  for (int r = 0; r < kTileRows; ++r) {
    float sums[kOutputs];
    sums_of_lanes(d, sum[r], sums);
    float* y = s.y + (i + r) * s.n + j;
    for (int64_t o = 0; o < count; ++o) y[o] = sums[o] + (s.bias == nullptr ? 0.0f : s.bias[j + o]);
  }
}

template <int kTileRows>
HWY_INLINE void tiles(const LinearRows& s, int64_t i, int64_t end, int64_t j, int64_t count) {
  for (; i + kTileRows <= end; i += kTileRows) tile<kTileRows>(s, i, j, count);
  if constexpr (kTileRows > 1) tiles<kTileRows / 2>(s, i, end, j, count);
}

// The outputs [begin, end) of every row.
void linear_columns(const LinearRows& s, int64_t begin, int64_t end) {
  const int64_t rows = std::max<int64_t>(kCachedFloats / std::max<int64_t>(s.k, 1) / kRows, 1) * kRows;
  for (int64_t i = 0; i < s.m; i += rows) {
    for (int64_t j = begin; j < end; j += kOutputs) tiles<kRows>(s, i, std::min(i + rows, s.m), j, std::min<int64_t>(kOutputs, end - j));
  }
}

}  // namespace
}  // namespace danlu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace danlu::kernels {
namespace {

HWY_EXPORT(linear_columns);

constexpr int64_t kThreadWork = int64_t{1} << 16;  // multiplications below which another thread costs more than it gains
constexpr int64_t kGrain = 16;                     // a multiple of every tile

}  // namespace

void linear_rows(const float* x, const float* w, const float* bias, float* y, int64_t m, int64_t n, int64_t k) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(linear_columns);
  const LinearRows shape{x, w, bias, y, m, n, k};
  const int64_t work = std::max<int64_t>(m * k, 1);
  const int64_t grain = std::max<int64_t>((kThreadWork / work + kGrain - 1) / kGrain, 1) * kGrain;
  parallel_for(n, grain, [&](int64_t begin, int64_t end) { kernel(shape, begin, end); });
}

}  // namespace danlu::kernels
#endif
