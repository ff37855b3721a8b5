#include "danlu/learn/tune/suggest.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>
#include <set>

#include "danlu/learn/tune/parzen.h"

namespace danlu::tune {
namespace {

using Function = std::function<double(const Point&)>;

// The best of `trials` points, mean over seeds.
double mean_best(const Space& space, const Function& function, bool tpe, int trials, int seeds) {
  double sum = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    std::vector<Observation> tried;
    double best = INFINITY;
    for (int n = 0; n < trials; ++n) {
      const Point point = tpe ? *suggest_tpe(space, {}, seed, n, tried) : *suggest_random(space, seed, n, tried);
      const double value = function(point);
      best = std::min(best, value);
      tried.push_back({point, value});
    }
    sum += best / seeds;
  }
  return sum;
}

// Its least value is 0.397887.
double branin(const Point& p) {
  using std::numbers::pi;
  const double a = p[1] - 5.1 / (4 * pi * pi) * p[0] * p[0] + 5 / pi * p[0] - 6;
  return a * a + 10 * (1 - 1 / (8 * pi)) * std::cos(p[0]) + 10;
}

TEST(SuggestTpe, IsBetterThanChanceOnBranin) {
  const Space space = {Parameter::real("x", -5, 10), Parameter::real("y", 0, 15)};
  const double tpe = mean_best(space, branin, true, 40, 20), random = mean_best(space, branin, false, 40, 20);
  EXPECT_GE(tpe, 0.397887);
  EXPECT_LT(tpe, 0.7 * random) << "random " << random;
  RecordProperty("tpe", std::to_string(tpe));
  RecordProperty("random", std::to_string(random));
}

// Like the tuning of a network: a rate on a logarithm, a width, a kind that matters and one that does not.
TEST(SuggestTpe, IsBetterThanChanceOnAMixedSpace) {
  const Space space = {Parameter::real("lr", 1e-5, 1, true), Parameter::integer("width", 8, 512, true), Parameter::real("dropout", 0, 0.8),
                       Parameter::choice("optimizer", {"adamw", "sgd", "lion"}), Parameter::choice("nothing", {1, 2, 3, 4})};
  const Function loss = [](const Point& p) {
    const double lr = std::log10(p[0]) + 2.5 + (p[3] == 1 ? -1 : 0), width = std::log2(p[1] / 128), dropout = p[2] - 0.3;
    return lr * lr + 0.1 * width * width + 4 * dropout * dropout + 0.3 * p[3];
  };
  for (const auto& [trials, part] : {std::pair(20, 0.85), {40, 0.6}}) {
    const double tpe = mean_best(space, loss, true, trials, 50), random = mean_best(space, loss, false, trials, 50);
    EXPECT_LT(tpe, part * random) << trials << " trials, random " << random;
    RecordProperty("tpe" + std::to_string(trials), std::to_string(tpe));
    RecordProperty("random" + std::to_string(trials), std::to_string(random));
  }
}

TEST(SuggestTpe, DependsOnSeedAndHistoryAlone) {
  const Space space = {Parameter::real("x", 0, 1), Parameter::choice("c", {"a", "b"})};
  std::vector<Observation> tried;
  for (int n = 0; n < 15; ++n) tried.push_back({*suggest_random(space, 7, n, {}), static_cast<double>(n % 4)});
  const Point first = *suggest_tpe(space, {}, 7, 15, tried);
  EXPECT_EQ(*suggest_tpe(space, {}, 7, 15, tried), first);
  EXPECT_NE(*suggest_tpe(space, {}, 8, 15, tried), first);
  EXPECT_NE(*suggest_tpe(space, {}, 7, 16, tried), first);
  tried[3].cost = 99;
  tried[0].cost = 99;
  EXPECT_NE(*suggest_tpe(space, {}, 7, 15, tried), first);
}

TEST(SuggestTpe, BeginsAsChanceDoes) {
  const Space space = {Parameter::real("x", 0, 1)};
  std::vector<Observation> tried;
  for (int n = 0; n < 8; ++n) {
    const Point point = *suggest_tpe(space, {}, 3, n, tried);
    EXPECT_EQ(point, *suggest_random(space, 3, n, tried));
    tried.push_back({point, 1.0});
  }
  EXPECT_NE(*suggest_tpe(space, {}, 3, 8, tried), *suggest_random(space, 3, 8, tried));
}

TEST(SuggestTpe, StaysAwayFromTrialsThatFailed) {
  const Space space = {Parameter::real("x", 0, 1)};
  std::vector<Observation> tried;
  for (int n = 0; n < 20; ++n) {
    const double x = (n + 0.5) / 20;
    tried.push_back({{x}, x > 0.5 ? std::nullopt : std::optional(1.0)});
  }
  int failing = 0;
  for (int seed = 0; seed < 50; ++seed) failing += (*suggest_tpe(space, {}, seed, 20, tried))[0] > 0.5 ? 1 : 0;
  EXPECT_LT(failing, 10);
}

TEST(SuggestTpe, TrialsThatCameFurtherAreTheBetterOnes) {
  const Space space = {Parameter::real("x", 0, 1)};
  std::vector<Observation> tried;
  for (int n = 0; n < 20; ++n) {
    const double x = (n + 0.5) / 20;
    tried.push_back({{x}, x < 0.5 ? 0.1 : 0.9, x > 0.8 ? 2 : 0});
  }
  int far = 0;
  for (int seed = 0; seed < 50; ++seed) far += (*suggest_tpe(space, {}, seed, 20, tried))[0] > 0.6 ? 1 : 0;
  EXPECT_GT(far, 35);
}

TEST(Suggest, NoPointOfAFiniteSpaceTwice) {
  const Space space = {Parameter::integer("n", 1, 4), Parameter::choice("c", {"a", "b", "c"})};
  for (const bool tpe : {true, false}) {
    std::vector<Observation> tried;
    std::set<Point> seen;
    for (int n = 0; n < 12; ++n) {
      const auto point = tpe ? suggest_tpe(space, {}, 1, n, tried) : suggest_random(space, 1, n, tried);
      ASSERT_TRUE(point);
      EXPECT_TRUE(seen.insert(*point).second);
      tried.push_back({*point, 1.0 * n});
    }
    EXPECT_FALSE(tpe ? suggest_tpe(space, {}, 1, 12, tried) : suggest_random(space, 1, 12, tried));
  }
}

TEST(SuggestGrid, EveryCombinationOnce) {
  const Space space = {Parameter::real("lr", 1e-4, 1e-1, true), Parameter::choice("c", {"a", "b"}), Parameter::integer("n", 1, 3)};
  EXPECT_EQ(grid_size(space, 4), 24);
  std::set<Point> seen;
  for (int n = 0; n < 24; ++n) EXPECT_TRUE(seen.insert(*suggest_grid(space, 4, n)).second);
  EXPECT_EQ(*suggest_grid(space, 4, 0), (Point{1e-4, 0, 1}));
  EXPECT_EQ(*suggest_grid(space, 4, 1), (Point{1e-4, 0, 2}));
  EXPECT_EQ(*suggest_grid(space, 4, 23), (Point{1e-1, 1, 3}));
  EXPECT_FALSE(suggest_grid(space, 4, 24));
}

// Densities integrate to 1, and samples follow them.
TEST(ParzenEstimator, IsADensityThatItsSamplesFollow) {
  const Space space = {Parameter::real("x", 0, 1), Parameter::integer("n", 1, 6), Parameter::choice("c", {"a", "b", "c"})};
  const std::vector<Point> points = {{0.1, 2, 0}, {0.15, 5, 0}, {0.9, 6, 2}};
  const std::vector<double> weights = {1, 1, 0.5};
  const ParzenEstimator density(space, points, weights);
  constexpr int kCells = 200;
  double total = 0, expected_x = 0, expected_n = 0, expected_c = 0;
  for (int i = 0; i < kCells; ++i) {
    for (int n = 1; n <= 6; ++n) {
      for (int c = 0; c < 3; ++c) {
        const double x = (i + 0.5) / kCells;
        const double mass = std::exp(density.log_density({x, 1.0 * n, 1.0 * c})) / kCells;
        total += mass;
        expected_x += x * mass;
        expected_n += n * mass;
        expected_c += c * mass;
      }
    }
  }
  EXPECT_NEAR(total, 1, 1e-3);
  Rng rng(5);
  constexpr int kSamples = 20'000;
  double x = 0, n = 0, c = 0;
  for (int i = 0; i < kSamples; ++i) {
    const Point p = density.sample(rng);
    x += p[0] / kSamples;
    n += p[1] / kSamples;
    c += p[2] / kSamples;
  }
  EXPECT_NEAR(x, expected_x, 0.01);
  EXPECT_NEAR(n, expected_n, 0.05);
  EXPECT_NEAR(c, expected_c, 0.03);
}

}  // namespace
}  // namespace danlu::tune
