#include "danlu/base/cpu.h"

#include <gtest/gtest.h>

#include <vector>

namespace danlu {

TEST(Cpu, KnowsThisMachine) {
  const CpuInfo& info = cpu_info();
  EXPECT_GE(info.processors, 1);
  EXPECT_GT(info.memory_bytes, int64_t{1} << 26);
  EXPECT_EQ(&info, &cpu_info()) << "read once";
}

TEST(Cpu, CachesGrowByTheirLevel) {
  EXPECT_EQ(cache_bytes(9), 0);
  if (cache_bytes(1) == 0) GTEST_SKIP() << "the system says nothing of caches";
  EXPECT_GE(cache_bytes(1), 4 << 10);
  EXPECT_TRUE(cache_bytes(2) == 0 || cache_bytes(2) > cache_bytes(1));
}

TEST(Cpu, PeakMemoryGrowsWithUse) {
  const int64_t before = peak_memory_bytes();
  std::vector<char> block(size_t{96} << 20, 1);
  EXPECT_GT(peak_memory_bytes(), before + (int64_t{64} << 20)) << block.size();
}

}  // namespace danlu
