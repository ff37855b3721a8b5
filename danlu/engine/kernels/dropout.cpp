#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "danlu/engine/kernels/dropout.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include <algorithm>

#include "danlu/base/rng.h"
#include "danlu/base/threads.h"
#include "danlu/engine/kernels/dropout.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/vector_map.inl.h"

HWY_BEFORE_NAMESPACE();
namespace danlu::kernels::HWY_NAMESPACE {
namespace {

constexpr int64_t kGroup = 64;     // elements
constexpr int64_t kCounters = 16;  // of a group, four words each

// The 64 numbers of a group of elements.
#if HWY_TARGET == HWY_SCALAR
HWY_INLINE void random_group(uint64_t group, uint64_t key, uint64_t stream, uint32_t* numbers) {
  for (int64_t k = 0; k < kCounters; ++k) {
    const auto words = philox(key, group * kCounters + static_cast<uint64_t>(k), stream);
    for (int64_t w = 0; w < 4; ++w) numbers[kCounters * w + k] = words[static_cast<size_t>(w)];
  }
}
#else
using U32 = hn::CappedTag<uint32_t, kCounters>;
using VecU = hn::Vec<U32>;

// The high and low halves of the 64-bit products of 32-bit lanes with a constant.
HWY_INLINE void multiply(VecU a, uint32_t constant, VecU& high, VecU& low) {
  const U32 d;
  const hn::RepartitionToWide<U32> d64;
  const VecU b = hn::Set(d, constant);
  const auto even = hn::MulEven(a, b);
  const auto odd = hn::MulEven(hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(d64, a))), b);
  const auto upper = hn::Set(d64, uint64_t{0xFFFFFFFF00000000u});
  high = hn::BitCast(d, hn::Or(hn::ShiftRight<32>(even), hn::And(odd, upper)));
  low = hn::BitCast(d, hn::Or(hn::AndNot(upper, even), hn::ShiftLeft<32>(odd)));
}

HWY_INLINE void random_group(uint64_t group, uint64_t key, uint64_t stream, uint32_t* numbers) {
  const U32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  // 16 divides the first counter of a group, so the lanes of one vector never carry into the upper word.
  const uint64_t first = group * kCounters;
  for (int64_t k = 0; k < kCounters; k += lanes) {
    VecU c0 = hn::Add(hn::Set(d, static_cast<uint32_t>(first)), hn::Iota(d, static_cast<uint32_t>(k)));
    VecU c1 = hn::Set(d, static_cast<uint32_t>(first >> 32));
    VecU c2 = hn::Set(d, static_cast<uint32_t>(stream)), c3 = hn::Set(d, static_cast<uint32_t>(stream >> 32));
    uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
    for (int round = 0; round < 10; ++round) {
      VecU high0, low0, high2, low2;
      multiply(c0, 0xD2511F53u, high0, low0);
      multiply(c2, 0xCD9E8D57u, high2, low2);
      c0 = hn::Xor(hn::Xor(high2, c1), hn::Set(d, k0));
      c2 = hn::Xor(hn::Xor(high0, c3), hn::Set(d, k1));
      c1 = low2;
      c3 = low0;
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    hn::StoreU(c0, d, numbers + k);
    hn::StoreU(c1, d, numbers + kCounters + k);
    hn::StoreU(c2, d, numbers + 2 * kCounters + k);
    hn::StoreU(c3, d, numbers + 3 * kCounters + k);
  }
}
#endif

void dropout_groups(const float* x, float* y, int64_t n, uint32_t threshold, float scale, uint64_t key, uint64_t stream,
                    int64_t first_group) {
  uint32_t numbers[kGroup];
  for (int64_t i = 0; i < n; i += kGroup) {
    random_group(static_cast<uint64_t>(first_group + i / kGroup), key, stream, numbers);
    const int64_t count = std::min(kGroup, n - i);
    for (int64_t j = 0; j < count; ++j) y[i + j] = numbers[j] >= threshold ? x[i + j] * scale : 0.0f;
  }
}

}  // namespace
}  // namespace danlu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace danlu::kernels {
namespace {

HWY_EXPORT(dropout_groups);

}  // namespace

void dropout(const float* x, float* y, int64_t n, uint32_t threshold, float scale, uint64_t key, uint64_t stream) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(dropout_groups);
  parallel_for(n, 1 << 13, [&](int64_t begin, int64_t end) {  // a multiple of the group
    kernel(x + begin, y + begin, end - begin, threshold, scale, key, stream, begin / 64);
  });
}

}  // namespace danlu::kernels
#endif
