#include "danlu/engine/kernels/packed_weight.h"

#include <gtest/gtest.h>

#include <vector>

#include "danlu/base/rng.h"

namespace danlu::kernels {
namespace {

TEST(PackedWeight, GroupsComeBack) {
  for (const auto format : {WeightFormat::q8, WeightFormat::q4}) {
    PackedWeight w{format, 35, 200, nullptr};
    std::vector<uint8_t> data(static_cast<size_t>(w.bytes()), 0xff);
    Rng rng(1);
    std::vector<std::vector<uint8_t>> written;
    for (int64_t i = 0; i < 35 * 7; ++i) {
      std::vector<uint8_t> codes(kGroup);
      for (uint8_t& code : codes) code = static_cast<uint8_t>(rng.uniform() * static_cast<float>(2 * zero_code(format)));
      put_group(w, data.data(), i / 7, i % 7, codes.data(), static_cast<uint16_t>(i));
      written.push_back(codes);
    }
    w.data = data.data();
    for (int64_t i = 0; i < 35 * 7; ++i) {
      std::vector<uint8_t> codes(kGroup);
      uint16_t scale = 0;
      get_group(w, i / 7, i % 7, codes.data(), &scale);
      EXPECT_EQ(codes, written[static_cast<size_t>(i)]);
      EXPECT_EQ(scale, i);
    }
  }
}

}  // namespace
}  // namespace danlu::kernels
