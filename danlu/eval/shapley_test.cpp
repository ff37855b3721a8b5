#include "danlu/eval/shapley.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "danlu/base/error.h"
#include "danlu/eval/testing.h"

namespace danlu::eval {
namespace {

using testing::HasSubstr;

// A game in which players help and hinder each other, by the bits of a coalition.
double game(uint32_t bits, double background) {
  const double a = bits & 1, b = bits >> 1 & 1, c = bits >> 2 & 1, d = bits >> 3 & 1;
  return std::tanh(2 * a + b - 1.5 * c + 3 * a * b - 2 * b * c * d) + (bits == 15 ? 0 : background * (4 - a - b - c - d));
}

Worth worth_of(const std::vector<double>& backgrounds, int64_t* asked = nullptr) {
  return [&backgrounds, asked](std::span<const Coalition> coalitions) {
    std::vector<double> worths;
    for (const Coalition& coalition : coalitions) {
      uint32_t bits = 0;
      for (size_t i = 0; i < coalition.present.size(); ++i) bits |= static_cast<uint32_t>(coalition.present[i]) << i;
      worths.push_back(game(bits, backgrounds[static_cast<size_t>(coalition.background)]));
    }
    if (asked != nullptr) *asked += static_cast<int64_t>(coalitions.size());
    return worths;
  };
}

// By definition, over all coalitions.
std::vector<double> exact(const std::vector<double>& backgrounds) {
  constexpr int kPlayers = 4;
  const double factorial[] = {1, 1, 2, 6, 24};
  std::vector<double> phi(kPlayers, 0);
  for (const double background : backgrounds) {
    for (uint32_t bits = 0; bits < 16; ++bits) {
      const int size = __builtin_popcount(bits);
      for (int i = 0; i < kPlayers; ++i) {
        if (bits >> i & 1) continue;
        const double weight = factorial[size] * factorial[kPlayers - 1 - size] / factorial[kPlayers];
        phi[static_cast<size_t>(i)] += weight * (game(bits | 1u << i, background) - game(bits, background)) / static_cast<double>(backgrounds.size());
      }
    }
  }
  return phi;
}

TEST(Shapley, SampledValuesComeToTheExactOnes) {
  const std::vector<double> backgrounds = {-0.2, 0.1, 0.4};
  const std::vector<double> truth = exact(backgrounds);
  double last = HUGE_VAL;
  for (const int64_t orders : {8, 128, 4096}) {
    const ShapleyValues found = shapley_values(4, worth_of(backgrounds), {.backgrounds = 3, .orders = orders, .seed = 5});
    double worst = 0;
    for (size_t i = 0; i < truth.size(); ++i) {
      EXPECT_LT(std::abs(found.values[i] - truth[i]), 5 * found.errors[i]) << orders << " orders, player " << i;
      worst = std::max(worst, found.errors[i]);
    }
    EXPECT_LT(worst, last / 2) << "errors shrink with the number of orders";
    last = worst;
  }
}

TEST(Shapley, AddUpExactlyHoweverFewOrders) {
  const std::vector<double> backgrounds = {-0.2, 0.1, 0.4};
  int64_t asked = 0;
  const ShapleyValues found = shapley_values(4, worth_of(backgrounds, &asked), {.backgrounds = 3, .orders = 2, .seed = 9});
  EXPECT_DOUBLE_EQ(found.all, game(15, 0));
  EXPECT_DOUBLE_EQ(found.none, (game(0, -0.2) + game(0, 0.1) + game(0, 0.4)) / 3);
  EXPECT_NEAR(std::accumulate(found.values.begin(), found.values.end(), 0.0), found.all - found.none, 1e-14);
  EXPECT_EQ(asked, 1 + 3 + 3 * 2 * 3);
}

TEST(Shapley, ALinearAnswerIsSharedByItsTerms) {
  // v = w . x over 3 players with backgrounds z: phi_i = w_i (x_i - mean z_i), whatever the orders.
  const std::vector<double> w = {2, -1, 0}, x = {1, 3, 7};
  const std::vector<std::vector<double>> z = {{0, 1, 2}, {4, -1, 0}};
  const auto linear = [&](std::span<const Coalition> coalitions) {
    std::vector<double> worths;
    for (const Coalition& coalition : coalitions) {
      double sum = 0;
      for (size_t i = 0; i < 3; ++i) sum += w[i] * (coalition.present[i] ? x[i] : z[static_cast<size_t>(coalition.background)][i]);
      worths.push_back(sum);
    }
    return worths;
  };
  const ShapleyValues found = shapley_values(3, linear, {.backgrounds = 2, .orders = 2});
  EXPECT_NEAR(found.values[0], 2 * (1 - 2.0), 1e-14);
  EXPECT_NEAR(found.values[1], -1 * (3 - 0.0), 1e-14);
  EXPECT_EQ(found.values[2], 0);
}

TEST(Shapley, NoPlayersAndOne) {
  const auto constant = [](std::span<const Coalition> coalitions) { return std::vector<double>(coalitions.size(), 0.5); };
  const ShapleyValues nobody = shapley_values(0, constant);
  EXPECT_TRUE(nobody.values.empty());
  EXPECT_EQ(nobody.all, 0.5);
  const auto counts = [](std::span<const Coalition> coalitions) {
    std::vector<double> worths;
    for (const Coalition& c : coalitions) worths.push_back(c.present[0]);
    return worths;
  };
  EXPECT_THAT(shapley_values(1, counts).values, testing::ElementsAre(1.0));
}

TEST(Shapley, SaysWhatIsWrong) {
  const auto nan = [](std::span<const Coalition> coalitions) { return std::vector<double>(coalitions.size(), NAN); };
  EXPECT_THAT(error_of<DataError>([&] { shapley_values(2, nan); }), HasSubstr("too far from the training data"));
  const auto few = [](std::span<const Coalition>) { return std::vector<double>(1, 0); };
  EXPECT_THAT(error_of<ShapeError>([&] { shapley_values(2, few); }), HasSubstr("1 worths of 2"));
  EXPECT_THAT(error_of<ShapeError>([&] { shapley_values(2, few, {.orders = 3}); }), HasSubstr("even"));
  EXPECT_THAT(error_of<ShapeError>([&] { shapley_values(2, few, {.backgrounds = 0}); }), HasSubstr("at least 1"));
}

}  // namespace
}  // namespace danlu::eval
