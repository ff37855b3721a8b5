#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "danlu/engine/kernels/quantized_linear.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include <algorithm>
#include <cmath>
#include <cstring>

#include "danlu/base/float16.h"
#include "danlu/base/threads.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/quantized_linear.h"
#include "danlu/engine/kernels/quantized_rows.h"
#include "danlu/engine/kernels/vector_map.inl.h"
#include "danlu/engine/kernels/workspace.h"

#ifndef DANLU_ROUNDED_ROW_
#define DANLU_ROUNDED_ROW_
namespace danlu::kernels {

// Where one row of x goes: arrays as in QuantizedTile, at the row's place in the first group.
struct RoundedRow {
  const float* x;
  int64_t columns, groups;
  int zero;           // the code of weights that stands for 0
  int64_t tile_rows;  // between one group and the next
  int8_t* codes;
  int16_t* pairs;
  float* scales;
  int32_t* start;
};

}  // namespace danlu::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace danlu::kernels::HWY_NAMESPACE {
namespace {

using I32 = hn::ScalableTag<int32_t>;
constexpr float kMostCode = 127;

float largest_magnitude(const float* x) {
  const F32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  VecF most = hn::Zero(d);
  for (int64_t i = 0; i < kGroup; i += lanes) most = hn::Max(most, hn::Abs(hn::LoadU(d, x + i)));
  float largest = hn::GetLane(hn::MaxOfLanes(d, most));
  for (int64_t i = 0; i < kGroup; ++i) {
    if (!std::isfinite(x[i])) largest = NAN;  // a maximum of vectors may pass over it
  }
  return largest;
}

// Codes of a group; returns their sum.
int32_t round_group(const float* x, float inverse, int8_t* codes) {
  const F32 d;
  const I32 di;
  const hn::Rebind<int8_t, I32> d8;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  auto sum = hn::Zero(di);
  for (int64_t i = 0; i < kGroup; i += lanes) {
    const auto rounded = hn::NearestInt(hn::Mul(hn::LoadU(d, x + i), hn::Set(d, inverse)));
    sum = hn::Add(sum, rounded);
    hn::StoreU(hn::DemoteTo(d8, rounded), d8, codes + i);
  }
  return hn::GetLane(hn::SumOfLanes(di, sum));
}

void round_row(const RoundedRow& r) {
  for (int64_t group = 0; group < r.groups; ++group) {
    const int64_t first = group * kGroup, count = std::clamp<int64_t>(r.columns - first, 0, kGroup), to = group * r.tile_rows;
    const float* x = r.x + first;
    float filled[kGroup] = {};
    if (count < kGroup) {
      std::copy_n(r.x + std::min(first, r.columns), count, filled);
      x = filled;
    }
    const float largest = largest_magnitude(x), scale = largest / kMostCode;
    const bool counts = std::isnormal(scale);
    int8_t codes[kGroup] = {};
    const int32_t sum = counts ? round_group(x, 1 / scale, codes) : 0;
    r.scales[to] = counts || std::isnan(scale) ? scale : 0.0f;
    r.start[to] = -r.zero * sum;
    if (r.codes != nullptr) std::memcpy(r.codes + to * kGroup, codes, sizeof codes);
    if (r.pairs == nullptr) continue;
    for (int64_t i = 0; i < kGroup; i += 4) {
      int16_t* pairs = r.pairs + to * kGroup + i;
      pairs[0] = codes[i];
      pairs[1] = codes[i + 2];
      pairs[2] = codes[i + 1];
      pairs[3] = codes[i + 3];
    }
  }
}

#if HWY_TARGET == HWY_SCALAR
// Sums of one output and one row of x, number by number.
void quantized_block(const QuantizedBlock& b) {
  const PackedWeight w{b.format, kUnitRows, b.units * kUnitColumns, b.weights};
  for (int64_t j = 0; j < b.count; ++j) {
    for (int64_t r = 0; r < b.x.rows; ++r) {
      float sum = b.bias == nullptr ? 0.0f : b.bias[j];
      for (int64_t group = 0; group < 2 * b.units; ++group) {
        const int64_t at = group * b.x.rows + r;
        uint8_t codes[kGroup];
        uint16_t scale = 0;
        get_group(w, j, group, codes, &scale);
        const int16_t* pairs = b.x.pairs + at * kGroup;
        int32_t dot = b.x.start[at];
        for (int64_t i = 0; i < kGroup; i += 4) dot += codes[i] * pairs[i] + codes[i + 2] * pairs[i + 1] + codes[i + 1] * pairs[i + 2] + codes[i + 3] * pairs[i + 3];
        sum += static_cast<float>(dot) * (f16_to_f32(scale) * b.x.scales[at]);
      }
      b.y[r * b.y_row + j] = sum;
    }
  }
}
#else
using I16 = hn::RepartitionToNarrow<I32>;
constexpr int kMostRows = HWY_TARGET <= HWY_AVX3 ? 8 : 2;

int32_t pair_at(const int16_t* p) {
  int32_t pair = 0;
  std::memcpy(&pair, p, sizeof pair);
  return pair;
}

// kRows rows of x, as many outputs as a vector has lanes.
template <int kRows>
HWY_INLINE void tile(const QuantizedBlock& b, int64_t first_row, int64_t first_output) {
  const F32 d;
  const I32 di;
  const I16 d16;
  const hn::RebindToUnsigned<I16> du16;
  const hn::Repartition<uint8_t, I32> d8;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d)), count = std::min(lanes, b.count - first_output);
  const auto whole = [&](const float* p) { return count == lanes ? hn::LoadU(d, p) : load_tail(d, p, count); };
  VecF sum[kRows];
  for (int r = 0; r < kRows; ++r) sum[r] = b.bias == nullptr ? hn::Zero(d) : whole(b.bias + first_output);
  const uint8_t* unit = b.weights;
  for (int64_t u = 0; u < b.units; ++u, unit += unit_bytes(b.format)) {
    for (int64_t half = 0; half < 2; ++half) {
      const int64_t at = (2 * u + half) * b.x.rows + first_row;
      const bool nibbles = b.format == WeightFormat::q4;
      const uint8_t* codes = unit + 64 + (nibbles ? 0 : half * 512) + 4 * first_output;
      typename std::remove_const<decltype(hn::Zero(di))>::type dot[kRows], other[kRows];
      for (int r = 0; r < kRows; ++r) {
        dot[r] = hn::Zero(di);
        other[r] = hn::Zero(di);
      }
      for (int64_t s = 0; s < kGroup / 4; ++s) {
        auto bytes = hn::BitCast(du16, hn::LoadU(d8, codes + 64 * s));
        if (nibbles) bytes = hn::And(half == 0 ? bytes : hn::ShiftRight<4>(bytes), hn::Set(du16, 0x0f0f));
        const auto even = hn::BitCast(d16, hn::And(bytes, hn::Set(du16, 0xff))), odd = hn::BitCast(d16, hn::ShiftRight<8>(bytes));
        for (int r = 0; r < kRows; ++r) {
          const int16_t* pairs = b.x.pairs + (at + r) * kGroup + 4 * s;
          dot[r] = hn::ReorderWidenMulAccumulate(di, even, hn::BitCast(d16, hn::Set(di, pair_at(pairs))), dot[r], other[r]);
          dot[r] = hn::ReorderWidenMulAccumulate(di, odd, hn::BitCast(d16, hn::Set(di, pair_at(pairs + 2))), dot[r], other[r]);
        }
      }
      HWY_ALIGN float scales[kUnitRows];
      for (int64_t i = 0; i < lanes; ++i) {
        uint16_t bits = 0;
        std::memcpy(&bits, unit + 2 * (half * kUnitRows + first_output + i), sizeof bits);
        scales[i] = f16_to_f32(bits);
      }
      const VecF scale = hn::Load(d, scales);
      for (int r = 0; r < kRows; ++r) {
        const VecF product = hn::Mul(scale, hn::Set(d, b.x.scales[at + r]));
        const auto whole_dot = hn::Add(hn::RearrangeToOddPlusEven(dot[r], other[r]), hn::Set(di, b.x.start[at + r]));
        sum[r] = hn::MulAdd(hn::ConvertTo(d, whole_dot), product, sum[r]);
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    float* y = b.y + (first_row + r) * b.y_row + first_output;
    count == lanes ? hn::StoreU(sum[r], d, y) : store_tail(sum[r], d, y, count);
  }
}

template <int kRows>
HWY_INLINE void tiles(const QuantizedBlock& b, int64_t row, int64_t output) {
  for (; row + kRows <= b.x.rows; row += kRows) tile<kRows>(b, row, output);
  if constexpr (kRows > 1) tiles<kRows / 2>(b, row, output);
}

void quantized_block(const QuantizedBlock& b) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(F32()));
  for (int64_t output = 0; output < b.count; output += lanes) tiles<kMostRows>(b, 0, output);
}
#endif

}  // namespace
}  // namespace danlu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace danlu::kernels {
namespace {

HWY_EXPORT(round_row);
HWY_EXPORT(quantized_block);

constexpr int64_t kThreadWork = int64_t{1} << 16;   // multiplications below which another thread costs more than it gains
constexpr int64_t kCachedBytes = int64_t{1} << 18;  // codes of x that pass over one block of weights before the next comes

// The rows of x in 8 bits, in tiles.
class RoundedRows {
 public:
  RoundedRows(int64_t m, const PackedWeight& w)
      : m_(m), groups_(2 * w.units()), workspace_(floats(m, groups_) + 2 * Workspace::rounded(m * groups_)) {
    void* codes = workspace_.take(floats(m, groups_));
    (has_vnni() ? codes_ : pairs_) = codes;
    scales_ = workspace_.take(m * groups_);
    start_ = reinterpret_cast<int32_t*>(workspace_.take(m * groups_));
  }

  int64_t tiles() const { return (m_ + kTileRows - 1) / kTileRows; }
  QuantizedTile tile(int64_t t) const {
    const int64_t at = t * kTileRows * groups_;
    return {rows_of(t), codes_ == nullptr ? nullptr : static_cast<int8_t*>(codes_) + at * kGroup,
            pairs_ == nullptr ? nullptr : static_cast<int16_t*>(pairs_) + at * kGroup, scales_ + at, start_ + at};
  }
  RoundedRow row(int64_t i, const float* x, const PackedWeight& w) const {
    const int64_t t = i / kTileRows, at = t * kTileRows * groups_ + i % kTileRows;
    return {x, w.columns, groups_, zero_code(w.format), rows_of(t), codes_ == nullptr ? nullptr : static_cast<int8_t*>(codes_) + at * kGroup,
            pairs_ == nullptr ? nullptr : static_cast<int16_t*>(pairs_) + at * kGroup, scales_ + at, start_ + at};
  }

 private:
  static int64_t floats(int64_t m, int64_t groups) {
    return Workspace::rounded(m * groups * kGroup * static_cast<int64_t>(has_vnni() ? sizeof(int8_t) : sizeof(int16_t)) / 4);
  }
  int64_t rows_of(int64_t t) const { return std::min(kTileRows, m_ - t * kTileRows); }

  int64_t m_, groups_;
  Workspace workspace_;
  void *codes_ = nullptr, *pairs_ = nullptr;
  float* scales_;
  int32_t* start_;
};

}  // namespace

void quantized_linear(const float* x, const PackedWeight& w, const float* bias, float* y, int64_t m) {
  active_isa();
  if (m == 0 || w.rows == 0) return;
  const RoundedRows rows(m, w);
  const auto round = HWY_DYNAMIC_DISPATCH(round_row);
  const int64_t row_bytes = w.units() * kUnitColumns;
  parallel_for(m, std::max<int64_t>(kThreadWork / 4 / std::max<int64_t>(row_bytes, 1), 1), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) round(rows.row(i, x + i * w.columns, w));
  });

  const auto multiply = has_vnni() ? quantized_block_vnni : HWY_DYNAMIC_DISPATCH(quantized_block);
  const int64_t work = std::max<int64_t>(m * row_bytes * kUnitRows, 1);
  const int64_t at_once = std::max<int64_t>(kCachedBytes / std::max<int64_t>(kTileRows * row_bytes, 1), 1);
  parallel_for(w.row_blocks(), std::max<int64_t>(kThreadWork / work, 1), [&](int64_t begin, int64_t end) {
    for (int64_t first = 0; first < rows.tiles(); first += at_once) {
      for (int64_t block = begin; block < end; ++block) {
        const int64_t output = block * kUnitRows;
        for (int64_t t = first; t < std::min(first + at_once, rows.tiles()); ++t) {
          multiply({w.format, w.data + block * w.block_bytes(), w.units(), rows.tile(t), bias == nullptr ? nullptr : bias + output,
                    y + t * kTileRows * w.rows + output, w.rows, std::min(kUnitRows, w.rows - output)});
        }
      }
    }
  });
}

}  // namespace danlu::kernels
#endif
