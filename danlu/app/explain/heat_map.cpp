#include "danlu/app/explain/heat_map.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace danlu::app {
namespace {

constexpr int64_t kSide = 140;  // of the shorter side, at least
constexpr std::array<double, 3> kFor = {20, 160, 90}, kAgainst = {225, 60, 45};
constexpr double kStrongest = 0.75;  // of the colour over the image

// Between the middles of the patches, so that no edge shows which the model did not see.
double between(const infer::Explanation& e, double y, double x) {
  const auto limit = [](double at, int64_t size) { return std::clamp(at, 0.0, static_cast<double>(size - 1)); };
  const double row = limit(y * static_cast<double>(e.rows) - 0.5, e.rows), column = limit(x * static_cast<double>(e.columns) - 0.5, e.columns);
  const auto r = static_cast<int64_t>(row), c = static_cast<int64_t>(column);
  const auto at = [&](int64_t i, int64_t j) { return e.parts[static_cast<size_t>(std::min(i, e.rows - 1) * e.columns + std::min(j, e.columns - 1))].contribution; };
  const double down = row - static_cast<double>(r), right = column - static_cast<double>(c);
  return (1 - down) * ((1 - right) * at(r, c) + right * at(r, c + 1)) + down * ((1 - right) * at(r + 1, c) + right * at(r + 1, c + 1));
}

}  // namespace

data::Image heat_map(const data::Image& image, const infer::Explanation& explanation) {
  const int64_t side = std::min(image.height, image.width), factor = (kSide + side - 1) / side;
  data::Image map = data::convert_channels(data::resize(image, image.height * factor, image.width * factor), 3);
  double most = 0;
  for (const infer::Explanation::Part& part : explanation.parts) most = std::max(most, std::abs(part.contribution));
  if (most == 0) return map;
  uint8_t* pixel = map.pixels.data();
  for (int64_t y = 0; y < map.height; ++y) {
    for (int64_t x = 0; x < map.width; ++x) {
      const double share = between(explanation, (static_cast<double>(y) + 0.5) / static_cast<double>(map.height), (static_cast<double>(x) + 0.5) / static_cast<double>(map.width)) / most;
      const double strength = kStrongest * std::min(1.0, std::abs(share));
      for (size_t c = 0; c < 3; ++c) {
        const double colour = (share > 0 ? kFor : kAgainst)[c];
        *pixel = static_cast<uint8_t>(std::lround((1 - strength) * *pixel + strength * colour));
        ++pixel;
      }
    }
  }
  return map;
}

}  // namespace danlu::app
