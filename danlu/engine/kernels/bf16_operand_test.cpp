#include "danlu/engine/kernels/bf16_operand.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "danlu/engine/kernels/bf16_gemm.h"

namespace danlu::kernels::bf16 {
namespace {

// Half `half` of a pair, as f32.
float number(float pair, int64_t half) {
  uint32_t bits;
  std::memcpy(&bits, &pair, sizeof(bits));
  bits = half == 0 ? bits << 16 : bits & 0xffff0000u;
  float x;
  std::memcpy(&x, &bits, sizeof(x));
  return x;
}

// Number (i, k) of an operand of which rows of A or columns of B lie along k, or do not.
float at(const std::vector<float>& x, const Operand& o, int64_t i, int64_t k) {
  if (i >= o.size || k >= o.depth) return 0;
  return x[static_cast<size_t>(o.along_k ? i * o.x_row + k : k * o.x_row + i)];
}

// A tile of A holds its rows, one of B its pairs; behind the last of k there are zeros.
TEST(Bf16Operand, LiesInTilesAsTheyAreRead) {
  if (!bf16_gemm_runs()) GTEST_SKIP() << "no AVX512_BF16 and no AMX";
  for (const int64_t size : {1, 16, 37}) {
    for (const int64_t depth : {1, 32, 75}) {
      for (const bool along_k : {false, true}) {
        SCOPED_TRACE(testing::Message() << size << " by " << depth << (along_k ? ", along k" : ""));
        std::vector<float> x(static_cast<size_t>(size * depth));
        for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i * 7 % 255) - 127;  // eight bits: exact in bf16
        std::vector<float> a_memory(static_cast<size_t>(Left::floats(size, depth, true)) + 16), b_memory(static_cast<size_t>(Right::floats(size, depth, true)) + 16);
        const auto aligned = [](std::vector<float>& memory) { return reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(memory.data()) + 63) / 64 * 64); };
        const int64_t x_row = along_k ? depth : size;
        const Left a{{x.data(), x_row, along_k, size, depth, aligned(a_memory), true}};
        const Right b{{x.data(), x_row, along_k, size, depth, aligned(b_memory), true}};
        for (int64_t unit = 0; unit < a.units(); ++unit) a.pack(unit);
        for (int64_t unit = 0; unit < b.units(); ++unit) b.pack(unit);
        for (int64_t k = 0; k < 2 * a.all_pairs(); ++k) {
          const int64_t pair = k / 2, inside = pair % kLanes, tile = pair - inside;
          for (int64_t i = 0; i < size; ++i) {
            ASSERT_EQ(number(a.tile(i / kLanes, tile)[i % kLanes * kLanes + inside], k % 2), at(x, a, i, k)) << "row " << i << " of A, " << k;
            ASSERT_EQ(number(b.tile(i / kLanes, tile)[inside * kLanes + i % kLanes], k % 2), at(x, b, i, k)) << "column " << i << " of B, " << k;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace danlu::kernels::bf16
