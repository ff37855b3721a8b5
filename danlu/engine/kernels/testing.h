// For the room's tests: kernels on every instruction set that this processor has, and numbers to try them with.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <vector>

#include "danlu/base/rng.h"
#include "danlu/engine/kernels/isa.h"

namespace danlu::kernels {

class OnEveryIsa : public testing::Test {
 protected:
  template <class Test>
  void on_every_isa(const Test& test) {
    for (const Isa isa : supported_isas()) {
      SCOPED_TRACE(isa_name(isa));
      set_isa(isa);
      test();
    }
  }
  void TearDown() override { set_isa(before_); }

 private:
  const Isa before_ = active_isa();
};

inline std::vector<float> normal(int64_t n, uint64_t seed) {
  Rng rng(seed);
  std::vector<float> x(static_cast<size_t>(n));
  for (float& v : x) v = rng.normal();
  return x;
}

// Rounded to the nearest bf16, of two to the even one.
inline std::vector<float> bf16(std::vector<float> x) {
  for (float& v : x) {
    const auto bits = std::bit_cast<uint32_t>(v);
    v = std::bit_cast<float>((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000);
  }
  return x;
}

}  // namespace danlu::kernels
