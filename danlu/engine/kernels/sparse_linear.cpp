#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "danlu/engine/kernels/sparse_linear.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include <algorithm>
#include <bit>

#include "danlu/base/threads.h"
#include "danlu/engine/kernels/activation.inl.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/sparse_linear.h"
#include "danlu/engine/kernels/transpose.h"
#include "danlu/engine/kernels/vector_map.inl.h"
#include "danlu/engine/kernels/workspace.h"

#ifndef DANLU_SPARSE_LINEAR_
#define DANLU_SPARSE_LINEAR_
namespace danlu::kernels {

struct SparseLinear {
  const SparseRows& w;
  const float *x, *bias;
  float* y;
  int64_t m;
  Activation activation;
  float* turned;  // x in panels of so many rows, each (k, panel)
};

}  // namespace danlu::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace danlu::kernels::HWY_NAMESPACE {
namespace {

// Rows of a panel at most: as many vectors as have their own sum in a register, enough to hide the time that one addition takes.
constexpr int64_t kVectors = HWY_TARGET <= HWY_AVX3 ? 4 : 8;
// Outputs whose sums are turned at once on their way to y.
constexpr int64_t kTurned = 16;

// At least two panels if m allows it: a thread that multiplies what it has turned itself finds that in its own cache.
int64_t panel_rows(int64_t m) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(F32()));
  int64_t vectors = 1;
  while (vectors < kVectors && 4 * vectors * lanes <= m) vectors *= 2;
  return vectors * lanes;
}

// Panels of `kUsed` vectors; where these are few, weights in turn have sums of their own.
template <int64_t kUsed, int64_t kChains = kVectors / kUsed>
void multiply_panel(const SparseLinear& s, int64_t panel, int64_t begin, int64_t end) {
  const F32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t width = kUsed * lanes, first = panel * width, rows = std::min(width, s.m - first);
  const float* x = s.turned + panel * width * s.w.k;
  HWY_ALIGN float sums[static_cast<size_t>(kTurned * kUsed) * HWY_MAX_BYTES / sizeof(float)];
  for (int64_t j = begin; j < end; ++j) {
    VecF sum[kChains][kUsed];
    HWY_UNROLL(8)
    for (int64_t c = 0; c < kChains; ++c) {
      HWY_UNROLL(8)
      for (int64_t v = 0; v < kUsed; ++v) sum[c][v] = hn::Set(d, s.bias == nullptr || c > 0 ? 0.0f : s.bias[j]);
    }
    const auto add = [&](int64_t i, VecF* to) HWY_ATTR {
      const VecF weight = hn::Set(d, s.w.value[static_cast<size_t>(i)]);
      const float* in = x + s.w.column[static_cast<size_t>(i)] * width;
      HWY_UNROLL(8)
      for (int64_t v = 0; v < kUsed; ++v) to[v] = hn::MulAdd(weight, hn::Load(d, in + v * lanes), to[v]);
    };
    const int64_t to = s.w.begin[static_cast<size_t>(j) + 1];
    int64_t i = s.w.begin[static_cast<size_t>(j)];
    for (; i + kChains <= to; i += kChains) {
      HWY_UNROLL(8)
      for (int64_t c = 0; c < kChains; ++c) add(i + c, sum[c]);
    }
    for (; i < to; ++i) add(i, sum[0]);
    HWY_UNROLL(8)
    for (int64_t c = 1; c < kChains; ++c) {
      HWY_UNROLL(8)
      for (int64_t v = 0; v < kUsed; ++v) sum[0][v] = hn::Add(sum[0][v], sum[c][v]);
    }
    const int64_t kept = (j - begin) % kTurned;
    HWY_UNROLL(8)
    for (int64_t v = 0; v < kUsed; ++v) hn::Store(sum[0][v], d, sums + kept * width + v * lanes);
    if (kept + 1 == kTurned || j + 1 == end) transpose_in_cache(sums, width, kept + 1, rows, s.y + first * s.w.n + j - kept, s.w.n);
  }
}

// Outputs [begin, end) of a panel.
void multiply(const SparseLinear& s, int64_t panel, int64_t begin, int64_t end) {
  const int64_t vectors = panel_rows(s.m) / static_cast<int64_t>(hn::Lanes(F32()));
  if (vectors == 1) return multiply_panel<1>(s, panel, begin, end);
  if (vectors == 2) return multiply_panel<2>(s, panel, begin, end);
  if (vectors == 4) return multiply_panel<4>(s, panel, begin, end);
  if constexpr (kVectors == 8) multiply_panel<8>(s, panel, begin, end);
}

// Outputs [begin, end) of every row, a weight after the other.
void multiply_rows(const SparseLinear& s, int64_t begin, int64_t end) {
  const int32_t* column = s.w.column.data();
  const float* value = s.w.value.data();
  for (int64_t j = begin; j < end; ++j) {
    const int64_t from = s.w.begin[static_cast<size_t>(j)], to = s.w.begin[static_cast<size_t>(j) + 1];
    for (int64_t r = 0; r < s.m; ++r) {
      const float* x = s.x + r * s.w.k;
      float a = s.bias == nullptr ? 0.0f : s.bias[j], b = 0, c = 0, e = 0;
      int64_t i = from;
      for (; i + 4 <= to; i += 4) {
        a += value[i] * x[column[i]];
        b += value[i + 1] * x[column[i + 1]];
        c += value[i + 2] * x[column[i + 2]];
        e += value[i + 3] * x[column[i + 3]];
      }
      for (; i < to; ++i) a += value[i] * x[column[i]];
      s.y[r * s.w.n + j] = (a + b) + (c + e);
    }
  }
}

void activate_row(const SparseLinear& s, int64_t row) { activate(s.activation, s.y + row * s.w.n, s.w.n); }

}  // namespace
}  // namespace danlu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace danlu::kernels {
namespace {

HWY_EXPORT(panel_rows);
HWY_EXPORT(multiply);
HWY_EXPORT(multiply_rows);
HWY_EXPORT(activate_row);

constexpr int64_t kFewRows = 4;
constexpr int64_t kThreadWork = int64_t{1} << 15;     // multiplications below which another thread costs more than it gains
constexpr int64_t kThreadWeights = int64_t{1} << 12;  // the same where each weight is a load from anywhere
constexpr int64_t kOutputs = 16;                      // of a line of y: no two threads write one
constexpr int64_t kInputs = 64;                       // turned at once

int64_t grain_of(int64_t most, int64_t work_of_output) { return (most / std::max<int64_t>(work_of_output, 1) / kOutputs + 1) * kOutputs; }

// x into panels of `width` rows, those beyond the last as zeros.
void turn(const SparseLinear& s, int64_t panels, int64_t width) {
  const int64_t k = s.w.k, pieces = (k + kInputs - 1) / kInputs;
  parallel_for(panels * pieces, std::max<int64_t>(1, kThreadWork / (width * kInputs)), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i / pieces * width, rows = std::min(width, s.m - first), p = i % pieces * kInputs, count = std::min(kInputs, k - p);
      float* out = s.turned + first * k + p * width;
      transpose_in_cache(s.x + first * k + p, k, rows, count, out, width);
      for (int64_t q = 0; q < count && rows < width; ++q) std::fill(out + q * width + rows, out + (q + 1) * width, 0.0f);
    }
  });
}

}  // namespace

SparseRows sparse_rows(int64_t n, int64_t k, std::span<const uint8_t> mask, std::span<const float> values) {
  SparseRows rows{.n = n, .k = k, .begin = {0}, .column = {}, .value = {values.begin(), values.end()}};
  rows.column.reserve(values.size());
  const int64_t bytes = (k + 7) / 8;
  for (int64_t j = 0; j < n; ++j) {
    for (int64_t b = 0; b < bytes; ++b) {
      for (unsigned bits = mask[static_cast<size_t>(j * bytes + b)]; bits != 0; bits &= bits - 1) rows.column.push_back(static_cast<int32_t>(8 * b + std::countr_zero(bits)));
    }
    rows.begin.push_back(std::ssize(rows.column));
  }
  return rows;
}

void sparse_linear(const SparseRows& w, const float* x, const float* bias, float* y, int64_t m, Activation activation) {
  if (m == 0 || w.n == 0) return;
  active_isa();
  SparseLinear s{w, x, bias, y, m, activation, nullptr};
  const int64_t weights = std::ssize(w.value) / w.n + 1;  // of an output
  if (m < kFewRows) {
    const auto kernel = HWY_DYNAMIC_DISPATCH(multiply_rows);
    parallel_for(w.n, grain_of(kThreadWeights, m * weights), [&](int64_t begin, int64_t end) { kernel(s, begin, end); });
  } else {
    const int64_t width = HWY_DYNAMIC_DISPATCH(panel_rows)(m), panels = (m + width - 1) / width;
    Workspace workspace(panels * width * w.k);
    s.turned = workspace.take(panels * width * w.k);
    turn(s, panels, width);
    const auto kernel = HWY_DYNAMIC_DISPATCH(multiply);
    const int64_t outputs = std::min(grain_of(kThreadWork, width * weights), w.n), parts = (w.n + outputs - 1) / outputs;
    parallel_for(panels * parts, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) kernel(s, i / parts, i % parts * outputs, std::min((i % parts + 1) * outputs, w.n));
    });
  }
  if (activation == Activation::none) return;
  const auto activate = HWY_DYNAMIC_DISPATCH(activate_row);
  parallel_for(m, std::max<int64_t>(1, kThreadWork / w.n), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) activate(s, r);
  });
}

}  // namespace danlu::kernels
#endif
