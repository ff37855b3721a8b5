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

TEST(Cpu, PeakMemoryGrowsWithUse) {
  const int64_t before = peak_memory_bytes();
  std::vector<char> block(size_t{96} << 20, 1);
  EXPECT_GT(peak_memory_bytes(), before + (int64_t{64} << 20)) << block.size();
}

}  // namespace danlu
