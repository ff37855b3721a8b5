#include "danlu/engine/kernels/isa.h"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "danlu/base/error.h"

namespace danlu::kernels {
namespace {

TEST(Isa, ScalarRunsEverywhereAndTheBestIsLast) {
  const std::vector<Isa>& isas = supported_isas();
  ASSERT_FALSE(isas.empty());
  EXPECT_EQ(isas.front(), Isa::scalar);
  EXPECT_TRUE(std::is_sorted(isas.begin(), isas.end()));
  EXPECT_STREQ(isa_name(Isa::avx2), "avx2");
}

TEST(Isa, AChoiceTakesEffect) {
  const Isa before = active_isa();
  for (const Isa isa : supported_isas()) {
    set_isa(isa);
    EXPECT_EQ(active_isa(), isa);
    const int64_t targets = hwy::SupportedTargets();
    EXPECT_EQ((targets & HWY_AVX2) != 0, isa == Isa::avx2) << isa_name(isa);
    EXPECT_EQ((targets & HWY_AVX3) != 0, isa >= Isa::avx512) << isa_name(isa);
    EXPECT_EQ((targets & HWY_SSE4) != 0, isa == Isa::sse4) << isa_name(isa);
  }
  set_isa(before);
}

// Runs in a fresh process, where the variable is read for the first time.
[[noreturn]] void exit_after_choosing(const char* word) {
  ::setenv("DANLU_ISA", word, 1);
  try {
    std::fprintf(stderr, "runs %s", isa_name(active_isa()));
  } catch (const ConfigError& error) {
    std::fprintf(stderr, "%s", error.what());
    std::_Exit(3);
  }
  std::_Exit(0);
}

TEST(IsaDeathTest, TheEnvironmentDecides) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(exit_after_choosing("scalar"), testing::ExitedWithCode(0), "runs scalar");
  EXPECT_EXIT(exit_after_choosing("mmx"), testing::ExitedWithCode(3), "got DANLU_ISA=mmx; expected scalar, sse4, avx2, avx512 or amx");
}

}  // namespace
}  // namespace danlu::kernels
