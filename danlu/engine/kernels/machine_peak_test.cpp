#include "danlu/engine/kernels/machine_peak.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "danlu/base/cpu.h"
#include "danlu/base/threads.h"
#include "danlu/engine/kernels/isa.h"

namespace danlu::kernels {
namespace {

constexpr double kSeconds = 0.05;

bool has(const char* feature) {
  const auto& features = cpu_info().features;
  return std::find(features.begin(), features.end(), feature) != features.end();
}

TEST(MachinePeak, WiderVectorsDoMore) {
  const Isa best = active_isa();
  set_isa(Isa::scalar);
  const double scalar = f32_fma_peak(kSeconds);
  set_isa(best);
  EXPECT_GT(scalar, 1e8);
  if (best >= Isa::avx2) {
    EXPECT_GT(f32_fma_peak(kSeconds), 2 * scalar);  // eight lanes at least, and strangers on the processor
  }
}

TEST(MachinePeak, ProductsOfShortNumbersWhereTheProcessorHasThem) {
  EXPECT_EQ(bf16_dot_peak(kSeconds) > 0, has("avx512_bf16"));
  EXPECT_EQ(int8_dot_peak(kSeconds) > 0, has("avx512_vnni"));
  const bool tiles = supported_isas().back() == Isa::amx;
  EXPECT_EQ(bf16_tile_peak(kSeconds) > 0, tiles);
  EXPECT_EQ(int8_tile_peak(kSeconds) > 0, tiles);
}

TEST(MachinePeak, ACacheIsFasterThanMemory) {
  set_num_threads(1);
  EXPECT_GT(read_bandwidth(16 << 10, kSeconds), 1.2 * read_bandwidth(256 << 20, kSeconds));
  EXPECT_GT(read_bandwidth(1, kSeconds), 0);
}

}  // namespace
}  // namespace danlu::kernels
