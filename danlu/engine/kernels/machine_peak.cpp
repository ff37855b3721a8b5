#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "danlu/engine/kernels/machine_peak.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "danlu/base/cpu.h"
#include "danlu/base/threads.h"
#include "danlu/base/timer.h"
#include "danlu/engine/kernels/amx_tiles.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/machine_peak.h"
#include "danlu/engine/kernels/vector_map.inl.h"

HWY_BEFORE_NAMESPACE();
namespace danlu::kernels::HWY_NAMESPACE {
namespace {

// Twelve chains hide the latency of two units of four cycles, and leave registers for the operands where there are sixteen.
constexpr int kChains = 12;

// `rounds` multiply-adds in each chain. `seed` is a number that the compiler does not know. Returns something of the result, so that none is left out.
float multiply_add(int64_t rounds, float seed) {
  const F32 d;
  const VecF a = hn::Set(d, seed), b = hn::Set(d, 0.5f * seed);
  VecF sum[kChains];
  for (int c = 0; c < kChains; ++c) sum[c] = hn::Set(d, static_cast<float>(c));
  for (int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 12
    for (int c = 0; c < kChains; ++c) sum[c] = hn::MulAdd(sum[c], a, b);
  }
  VecF total = sum[0];
  for (int c = 1; c < kChains; ++c) total = hn::Add(total, sum[c]);
  return hn::GetLane(hn::SumOfLanes(d, total));
}

double multiply_add_operations() { return 2.0 * kChains * static_cast<double>(hn::Lanes(F32())); }

float read(const float* x, int64_t n) {
  return map_sum(x, n, [](F32, VecF v) HWY_ATTR { return v; });
}

}  // namespace
}  // namespace danlu::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#if HWY_ARCH_X86_64
#include <immintrin.h>
#endif

namespace danlu::kernels {
namespace {

HWY_EXPORT(multiply_add);
HWY_EXPORT(multiply_add_operations);
HWY_EXPORT(read);

constexpr double kTry = 0.02;  // seconds that a try takes at least: far above the start of the threads

std::atomic<float> sink;   // where results go, for the compiler to see them used
volatile float seed = 1e-9f;  // far from overflow

// Calls of work(thread, repeats) a second, by all threads at once: the best try of `seconds`. A call is one repeat of one thread.
template <class Work>
double best_rate(double seconds, const Work& work) {
  const int64_t threads = num_threads();
  int64_t repeats = 1;
  double best = 0;
  for (const Timer total; total.seconds() < seconds || best == 0;) {
    const Timer timer;
    parallel_for(threads, 1, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) work(t, repeats);
    });
    const double taken = timer.seconds();
    if (taken < kTry) repeats *= 2;
    else best = std::max(best, static_cast<double>(threads * repeats) / taken);
  }
  return best;
}

constexpr int64_t kRounds = 1000;  // of a repeat

struct Free {
  void operator()(float* p) const { std::free(p); }
};
using Pages = std::unique_ptr<float[], Free>;

// On huge pages where there are some: what is to be measured is the cache, not the translation of addresses.
Pages pages(int64_t floats) {
  constexpr size_t kHuge = size_t{2} << 20;
  const size_t bytes = (static_cast<size_t>(floats) * sizeof(float) + kHuge - 1) / kHuge * kHuge;
  void* const block = std::aligned_alloc(kHuge, bytes);
  if (block == nullptr) throw std::bad_alloc();
  ::madvise(block, bytes, MADV_HUGEPAGE);
  return Pages(static_cast<float*>(block));
}

#if HWY_ARCH_X86_64
bool has(const char* feature) {
  const auto& features = cpu_info().features;
  return std::find(features.begin(), features.end(), feature) != features.end();
}

constexpr int kDotChains = 12;
constexpr double kBf16Operations = 2.0 * kDotChains * 32, kInt8Operations = 2.0 * kDotChains * 64;

// The empty assembler keeps the chains apart and in registers: their operands are zero, which the compiler may find out.
__attribute__((target("avx512f,avx512bf16"))) float dot_bf16(int64_t rounds) {
  const auto a = reinterpret_cast<__m512bh>(_mm512_set1_ps(seed));
  __m512 sum[kDotChains];
#pragma GCC unroll 12  // every loop over them, or they lie in memory
  for (int c = 0; c < kDotChains; ++c) sum[c] = _mm512_setzero_ps();
  for (int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 12
    for (int c = 0; c < kDotChains; ++c) {
      sum[c] = _mm512_dpbf16_ps(sum[c], a, a);
      asm volatile("" : "+v"(sum[c]));
    }
  }
#pragma GCC unroll 12
  for (int c = 1; c < kDotChains; ++c) sum[0] = _mm512_add_ps(sum[0], sum[c]);
  return _mm512_cvtss_f32(sum[0]);
}

__attribute__((target("avx512f,avx512vnni"))) float dot_int8(int64_t rounds) {
  const __m512i a = _mm512_castps_si512(_mm512_set1_ps(seed));
  __m512i sum[kDotChains];
#pragma GCC unroll 12  // every loop over them, or they lie in memory
  for (int c = 0; c < kDotChains; ++c) sum[c] = _mm512_setzero_si512();
  for (int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 12
    for (int c = 0; c < kDotChains; ++c) {
      sum[c] = _mm512_dpbusd_epi32(sum[c], a, a);
      asm volatile("" : "+v"(sum[c]));
    }
  }
#pragma GCC unroll 12
  for (int c = 1; c < kDotChains; ++c) sum[0] = _mm512_add_epi32(sum[0], sum[c]);
  return static_cast<float>(_mm_cvtsi128_si32(_mm512_castsi512_si128(sum[0])));
}

// Tile products. Their operands are no zeros, which cost less power: a processor that saves power multiplies others up to four times as slowly.
constexpr double kBf16TileOperations = 2.0 * 4 * 16 * 16 * 32, kInt8TileOperations = 2 * kBf16TileOperations;

struct alignas(64) Tiles {
  TileConfiguration configuration;
  uint16_t operands[2][512];
  float sums[256];

  Tiles() {
    uint32_t state = 1;  // of a linear congruential generator
    for (auto& operand : operands) {
      for (uint16_t& x : operand) {
        state = state * 1664525 + 1013904223;
        x = static_cast<uint16_t>(0x3f00 | (state >> 25) | (state >> 8 & 0x8000));  // 0.5 to 2, of either sign; any two bytes
      }
    }
  }
};

template <bool kInt8>
__attribute__((target("amx-tile,amx-bf16,amx-int8"))) float dot_tiles(int64_t rounds, Tiles& tiles) {
  _tile_loadconfig(&tiles.configuration);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_loadd(4, tiles.operands[0], 64);
  _tile_loadd(5, tiles.operands[1], 64);
  _tile_loadd(6, tiles.operands[1], 64);
  _tile_loadd(7, tiles.operands[0], 64);
  for (int64_t i = 0; i < rounds; ++i) {
    if constexpr (kInt8) {
      _tile_dpbssd(0, 4, 6);
      _tile_dpbssd(1, 4, 7);
      _tile_dpbssd(2, 5, 6);
      _tile_dpbssd(3, 5, 7);
    } else {
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
  }
  _tile_stored(0, tiles.sums, 64);
  _tile_release();
  return tiles.sums[0];
}

template <bool kInt8>
double tile_peak(double seconds) {
  if (supported_isas().back() < Isa::amx) return 0;
  constexpr double kOperations = kInt8 ? kInt8TileOperations : kBf16TileOperations;
  return kOperations * kRounds * best_rate(seconds, [](int64_t, int64_t repeats) {
    Tiles tiles;
    sink = dot_tiles<kInt8>(repeats * kRounds, tiles);
  });
}
#else
template <bool kInt8>
double tile_peak(double) { return 0; }
#endif

}  // namespace

double f32_fma_peak(double seconds) {
  active_isa();
  const auto kernel = HWY_DYNAMIC_DISPATCH(multiply_add);
  const double operations = HWY_DYNAMIC_DISPATCH(multiply_add_operations)();
  return operations * kRounds * best_rate(seconds, [&](int64_t, int64_t repeats) { sink = kernel(repeats * kRounds, seed); });
}

double bf16_dot_peak(double seconds) {
#if HWY_ARCH_X86_64
  if (has("avx512_bf16")) {
    return kBf16Operations * kRounds * best_rate(seconds, [](int64_t, int64_t repeats) { sink = dot_bf16(repeats * kRounds); });
  }
#endif
  static_cast<void>(seconds);
  return 0;
}

double int8_dot_peak(double seconds) {
#if HWY_ARCH_X86_64
  if (has("avx512_vnni")) {
    return kInt8Operations * kRounds * best_rate(seconds, [](int64_t, int64_t repeats) { sink = dot_int8(repeats * kRounds); });
  }
#endif
  static_cast<void>(seconds);
  return 0;
}

double bf16_tile_peak(double seconds) { return tile_peak<false>(seconds); }
double int8_tile_peak(double seconds) { return tile_peak<true>(seconds); }

double read_bandwidth(int64_t bytes_a_thread, double seconds) {
  active_isa();
  const int64_t n = std::max<int64_t>(bytes_a_thread / static_cast<int64_t>(sizeof(float)), 1);
  const auto kernel = HWY_DYNAMIC_DISPATCH(read);
  std::vector<Pages> buffers(static_cast<size_t>(num_threads()));
  for (Pages& buffer : buffers) buffer = pages(n);
  parallel_for(num_threads(), 1, [&](int64_t begin, int64_t end) {  // each thread touches its own first
    for (int64_t t = begin; t < end; ++t) std::fill_n(buffers[static_cast<size_t>(t)].get(), n, 1.0f);
  });
  return static_cast<double>(n) * sizeof(float) * best_rate(seconds, [&](int64_t t, int64_t repeats) {
    for (int64_t i = 0; i < repeats; ++i) sink = kernel(buffers[static_cast<size_t>(t)].get(), n);
  });
}

}  // namespace danlu::kernels
#endif
