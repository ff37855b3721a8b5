#include "danlu/app/explain/heat_map.h"

#include <gtest/gtest.h>

namespace danlu::app {
namespace {

TEST(HeatMap, IsGreenForAndRedAgainst) {
  infer::Explanation explanation;
  explanation.input = infer::InputKind::image;
  explanation.rows = 1;
  explanation.columns = 3;
  for (const double contribution : {0.5, 0.0, -0.5}) explanation.parts.push_back({.name = {}, .value = {}, .contribution = contribution});
  const data::Image gray{10, 30, 1, std::vector<uint8_t>(300, 128)};
  const data::Image map = heat_map(gray, explanation);
  EXPECT_EQ(map.channels, 3);
  EXPECT_EQ(map.width, 3 * map.height);
  EXPECT_GE(map.height, 140);
  const auto pixel = [&](int64_t x) { return &map.pixels[static_cast<size_t>((map.height / 2 * map.width + x) * 3)]; };
  const uint8_t *first = pixel(map.width / 6), *middle = pixel(map.width / 2), *last = pixel(map.width * 5 / 6);
  EXPECT_GT(first[1], first[0] + 50) << "green";
  EXPECT_GT(last[0], last[1] + 50) << "red";
  for (int c = 0; c < 3; ++c) EXPECT_NEAR(middle[c], 128, 3);

  for (auto& part : explanation.parts) part.contribution = 0;
  const data::Image plain = heat_map(gray, explanation);
  for (const uint8_t value : plain.pixels) ASSERT_EQ(value, 128) << "nothing is said where nothing counts";
}

}  // namespace
}  // namespace danlu::app
