#include "danlu/learn/train/fit_kmeans.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/rng.h"
#include "danlu/base/threads.h"

namespace danlu::train {
namespace {

using testing::HasSubstr;

// Points around centres, as many around each; far from the origin, so that products of them have few digits left.
Tensor clouds(const std::vector<std::vector<float>>& centers, int64_t of_each, float spread, uint64_t seed = 3) {
  Rng rng(seed);
  const auto width = std::ssize(centers.front());
  Tensor x = Tensor::empty({of_each * std::ssize(centers), width});
  float* out = x.mutable_data();
  for (int64_t i = 0; i < of_each; ++i) {
    for (const auto& center : centers) {
      for (const float c : center) *out++ = 1000 + c + spread * rng.normal();
    }
  }
  return x;
}

double inertia_of(const Tensor& x, const Tensor& centers, const std::vector<int64_t>& clusters) {
  const int64_t width = centers.size(1);
  double sum = 0;
  for (int64_t i = 0; i < x.size(0); ++i) {
    for (int64_t f = 0; f < width; ++f) {
      const double difference = static_cast<double>(x.data()[i * width + f]) - static_cast<double>(centers.data()[clusters[static_cast<size_t>(i)] * width + f]);
      sum += difference * difference;
    }
  }
  return sum;
}

TEST(FitKMeans, FindsCloudsThatStandApart) {
  const Tensor x = clouds({{0, 0}, {10, 0}, {0, 10}, {10, 10}}, 200, 0.5f);
  const KMeansFit fit = fit_kmeans(x, 4, {}, 1);
  for (const int64_t k : {0, 1, 2, 3}) EXPECT_EQ(std::count(fit.clusters.begin(), fit.clusters.end(), k), 200) << k;
  for (size_t i = 4; i < fit.clusters.size(); ++i) EXPECT_EQ(fit.clusters[i], fit.clusters[i % 4]) << "the clouds take turns";
  EXPECT_NEAR(fit.inertia, inertia_of(x, fit.centers, fit.clusters), 1e-3 * fit.inertia);
}

// Seven numbers of which every division can be tried by hand: {1, 2, 3}, {10, 11} and {50, 52} leave 2 + 0.5 + 2.
TEST(FitKMeans, FindsTheLeastInertiaOfFewNumbers) {
  const Tensor x = Tensor::from({7, 1}, {1, 2, 3, 10, 11, 50, 52});
  const KMeansFit fit = fit_kmeans(x, 3, {}, 1);
  EXPECT_NEAR(fit.inertia, 4.5, 1e-5);
  EXPECT_THAT(fit.clusters, testing::ElementsAre(0, 0, 0, fit.clusters[3], fit.clusters[3], fit.clusters[5], fit.clusters[5])) << "the largest is the first";
  EXPECT_NEAR(static_cast<double>(fit.centers.data()[0]), 2, 1e-5);
}

TEST(FitKMeans, OneClusterIsTheMean) {
  const Tensor x = Tensor::from({3, 2}, {0, 0, 3, 0, 0, 6});
  const KMeansFit fit = fit_kmeans(x, 1, {}, 1);
  EXPECT_NEAR(static_cast<double>(fit.centers.data()[0]), 1, 1e-6);
  EXPECT_NEAR(static_cast<double>(fit.centers.data()[1]), 2, 1e-6);
  EXPECT_NEAR(fit.inertia, 6 + 24, 1e-4);
}

// Pairs of clouds so far apart that, in floats, a product of two samples has no digit left of what parts the clouds of a pair.
TEST(FitKMeans, TellsApartWhatIsNearBesideWhatIsFar) {
  const Tensor x = clouds({{0, 0}, {3, 0}, {40000, 0}, {40003, 0}}, 100, 0.1f);
  const KMeansFit fit = fit_kmeans(x, 4, {}, 1);
  for (size_t i = 4; i < fit.clusters.size(); ++i) EXPECT_EQ(fit.clusters[i], fit.clusters[i % 4]) << i;
  EXPECT_LT(fit.inertia, 400 * 2 * 0.1 * 0.1 * 1.2);
}

TEST(FitKMeans, IsTheSameInAnyUnit) {
  const Tensor x = clouds({{0, 0}, {3, 0}, {0, 3}, {3, 3}, {6, 1}}, 60, 1.0f);
  const KMeansFit fit = fit_kmeans(x, 5, {}, 2);
  for (const int power : {-80, 80}) {
    Tensor scaled = x.clone();
    for (float& value : scaled.mutable_span()) value = std::ldexp(value, power);
    const KMeansFit same = fit_kmeans(scaled, 5, {}, 2);
    EXPECT_EQ(same.clusters, fit.clusters) << power;
    EXPECT_DOUBLE_EQ(std::ldexp(same.inertia, -2 * power), fit.inertia) << power;
    EXPECT_EQ(std::ldexp(same.centers.data()[0], -power), fit.centers.data()[0]) << power;
  }
}

TEST(FitKMeans, LeavesNoClusterEmpty) {
  // Many copies of few points: most of the first centres fall on the same ones.
  std::vector<float> values(1000, 0.0f);
  for (int i = 0; i < 6; ++i) values[static_cast<size_t>(100 + i)] = static_cast<float>(i + 1);
  const Tensor x = Tensor::from({1000, 1}, values);
  const KMeansFit fit = fit_kmeans(x, 7, {}, 5);
  for (int64_t k = 0; k < 7; ++k) EXPECT_GT(std::count(fit.clusters.begin(), fit.clusters.end(), k), 0) << k;
  EXPECT_NEAR(fit.inertia, 0, 1e-6);
}

TEST(FitKMeans, MoreRestartsFindNothingWorse) {
  const Tensor x = clouds({{0, 0}, {3, 0}, {0, 3}, {3, 3}, {6, 1}, {5, 5}}, 60, 1.0f);
  std::vector<double> seen;
  const KMeansFit best = fit_kmeans(x, 9, {.restarts = 8}, 2, [&](const KMeansFit& fit) {
    seen.push_back(fit.inertia);
    return true;
  });
  ASSERT_EQ(seen.size(), 8u);
  EXPECT_DOUBLE_EQ(best.inertia, *std::min_element(seen.begin(), seen.end()));
  EXPECT_GT(*std::max_element(seen.begin(), seen.end()), best.inertia) << "each begins elsewhere";
  EXPECT_DOUBLE_EQ(fit_kmeans(x, 9, {.restarts = 8}, 2, [](const KMeansFit&) { return false; }).inertia, seen.front()) << "ends when told to";
}

TEST(FitKMeans, IsTheSameForAnyNumberOfThreads) {
  const Tensor x = clouds({{0, 0, 1}, {3, 0, 2}, {0, 3, 0}}, 1500, 1.5f);
  const int before = num_threads();
  set_num_threads(1);
  const KMeansFit one = fit_kmeans(x, 5, {.restarts = 3}, 7);
  set_num_threads(3);
  const KMeansFit three = fit_kmeans(x, 5, {.restarts = 3}, 7);
  set_num_threads(before);
  EXPECT_EQ(one.centers.to_vector(), three.centers.to_vector());
  EXPECT_EQ(one.clusters, three.clusters);
  EXPECT_EQ(one.inertia, three.inertia);
}

TEST(FitKMeans, RefusesWhatItCannotDivide) {
  const Tensor x = Tensor::from({4, 1}, {1, 1, 2, 2});
  const auto message = [&](const Tensor& samples, int64_t clusters) -> std::string {
    try {
      fit_kmeans(samples, clusters, {}, 1);
    } catch (const DataError& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message(x, 3), HasSubstr("got 2 different samples to make 3 clusters of"));
  EXPECT_THAT(message(Tensor::zeros({0, 2}), 1), HasSubstr("got 0 different samples"));
  EXPECT_THAT(message(Tensor::from({2, 1}, {1, NAN}), 2), HasSubstr("not finite"));
  EXPECT_THAT(message(Tensor::from({2, 1}, {1, INFINITY}), 2), HasSubstr("not finite"));
}

TEST(KMeansModel, SaysHowFarSamplesAre) {
  models::KMeans model(Shape{2}, 2);
  model.set_centers(Tensor::from({2, 2}, {0, 0, 3, 4}));
  EXPECT_EQ(model(Tensor::from({2, 2}, {3, 4, 0, 0})).to_vector(), (std::vector<float>{5, 0, 0, 5}));
  EXPECT_THROW(model(Tensor::zeros({2, 3})), ShapeError);
}

}  // namespace
}  // namespace danlu::train
