#include "danlu/eval/frechet.h"

#include <gtest/gtest.h>

#include "danlu/base/error.h"
#include "danlu/base/rng.h"
#include "danlu/eval/nearest.h"

namespace danlu::eval {
namespace {

// A normal distribution: x = mean + scale * z, with a correlation of neighbours.
Tensor draw(int64_t count, int64_t features, double mean, double scale, uint64_t seed) {
  Rng rng(seed);
  Tensor x = Tensor::empty({count, features});
  for (int64_t i = 0; i < count; ++i) {
    float before = 0;
    for (int64_t j = 0; j < features; ++j) {
      const float z = 0.8f * rng.normal() + 0.6f * before;
      x.mutable_data()[i * features + j] = static_cast<float>(mean) + static_cast<float>(scale) * z;
      before = z;
    }
  }
  return x;
}

TEST(Frechet, OfDiagonalsIsTheFormula) {
  // |m|^2 + sum of (sqrt(a) - sqrt(b))^2, with eigenvectors that a rotation hides.
  const Gaussian a{{0, 0}, {4, 0, 0, 9}}, b{{3, 4}, {1, 0, 0, 25}};
  EXPECT_NEAR(frechet_distance(a, b), 25 + 1 + 4, 1e-9);
  const double c = 0.6, s = 0.8;
  const auto rotated = [&](double x, double y) { return std::vector<double>{c * c * x + s * s * y, c * s * (x - y), c * s * (x - y), s * s * x + c * c * y}; };
  EXPECT_NEAR(frechet_distance({{0, 0}, rotated(4, 9)}, {{3, 4}, rotated(1, 25)}), 30, 1e-9);
}

TEST(Frechet, MatchesScipy) {
  // The trace of scipy.linalg.sqrtm(A @ B).
  const Gaussian a{{1, 2, 0}, {2.0, 0.5, 0.1, 0.5, 1.5, 0.3, 0.1, 0.3, 2.7}}, b{{0, 1, 0.5}, {1.0, -0.2, 0.4, -0.2, 2.5, 0.6, 0.4, 0.6, 2.2}};
  EXPECT_NEAR(frechet_distance(a, b), 2.8083390436, 1e-8);
  EXPECT_NEAR(frechet_distance(b, a), 2.8083390436, 1e-8);
}

TEST(Frechet, FallsAsSamplesComeNearer) {
  const Gaussian real = fit_gaussian(draw(4000, 24, 0, 1, 1));
  const double same = frechet_distance(real, fit_gaussian(draw(4000, 24, 0, 1, 2)));
  const double wider = frechet_distance(real, fit_gaussian(draw(4000, 24, 0, 1.2, 3)));
  const double elsewhere = frechet_distance(real, fit_gaussian(draw(4000, 24, 1, 1, 4)));
  EXPECT_LT(same, 0.2);
  EXPECT_NEAR(wider, 24 * 0.04, 0.3);
  EXPECT_NEAR(elsewhere, 24, 1);
  EXPECT_EQ(frechet_distance(real, real) < 1e-6, true);
}

// All samples alike: the covariance is 0, and its root must be too.
TEST(Frechet, OfACollapsedModel) {
  const Gaussian real{{0, 0}, {1, 0, 0, 1}}, one{{0, 0}, {0, 0, 0, 0}};
  EXPECT_NEAR(frechet_distance(real, one), 2, 1e-12);
  EXPECT_EQ(mean_pairwise_distance(Tensor::full({3, 5}, 0.5f)), 0);
  EXPECT_NEAR(mean_pairwise_distance(Tensor::from({2, 2}, {0, 0, 3, 4})), 5, 1e-12);
}

TEST(Frechet, RefusesWhatItCannotMeasure) {
  EXPECT_THROW(fit_gaussian(Tensor::zeros({1, 3})), ShapeError);
  EXPECT_THROW(fit_gaussian(Tensor::zeros({5})), ShapeError);
  EXPECT_THROW(frechet_distance({{0}, {1}}, {{0, 0}, {1, 0, 0, 1}}), ShapeError);
}

TEST(Nearest, FindsACopyAndItsPlace) {
  Tensor set = Tensor::empty({40, 3, 5, 1}, Dtype::u8), queries = Tensor::empty({2, 3, 5, 1}, Dtype::u8);
  Rng rng(5);
  for (uint8_t& p : set.mutable_span<uint8_t>()) p = static_cast<uint8_t>(rng.below(256));
  for (int64_t i = 0; i < 15; ++i) {
    queries.mutable_data<uint8_t>()[i] = set.data<uint8_t>()[17 * 15 + i];
    queries.mutable_data<uint8_t>()[15 + i] = static_cast<uint8_t>(255 - set.data<uint8_t>()[15 + i]);
  }
  std::vector<int64_t> all;
  for (int64_t i = 0; i < 40; ++i) all.push_back(i);
  EXPECT_EQ(nearest_images(queries, set, all)[0].index, 17);
  EXPECT_EQ(nearest_images(queries, set, all)[0].distance, 0);
  EXPECT_GT(nearest_images(queries, set, all)[1].distance, 0.05);
  // Not among those that are looked through.
  EXPECT_GT(nearest_images(queries, set, std::vector<int64_t>{3, 4})[0].distance, 0.05);
  EXPECT_THROW(nearest_images(queries, Tensor::zeros({4, 3, 4, 1}, Dtype::u8), all), ShapeError);
}

TEST(Nearest, RowsByEuclidsDistance) {
  const Tensor set = Tensor::from({4, 2}, {0, 0, 3, 4, -1, 1, 3, 4}), queries = Tensor::from({3, 2}, {2.9f, 4.2f, -2, 2, 0.4f, 0.4f});
  EXPECT_EQ(nearest_rows(queries, set), (std::vector<int64_t>{1, 2, 0})) << "of equals the first";
  EXPECT_THROW(nearest_rows(queries, Tensor::zeros({4, 3})), ShapeError);
  EXPECT_THROW(nearest_rows(queries, Tensor::zeros({0, 2})), ShapeError);
}

}  // namespace
}  // namespace danlu::eval
