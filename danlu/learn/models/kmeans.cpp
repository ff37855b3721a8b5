#include "danlu/learn/models/kmeans.h"

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/threads.h"

namespace danlu::models {
namespace {

constexpr const char* kWhere = "learn.kmeans";
constexpr int64_t kGrain = 64;  // samples

}  // namespace

void KMeansOptions::describe(OptionVisitor& v) {
  v.field("clusters", clusters, {0, 10000}, "groups to find; 0: from 2 to most_clusters, those that stand apart best");
  v.field("most_clusters", most_clusters, {2, 100}, "groups at most, where their number is to be found");
  v.field("restarts", restarts, {1, 1000}, "first centres drawn anew; the closest fit is kept");
  v.field("iterations", iterations, {1, 1e6}, "moves of the centres at most, from each first draw");
  v.field("tolerance", tolerance, {0, 1}, "centres that move less, squared, than this part of a feature's variance are at rest");
}

KMeans::KMeans(const Shape& sample, int64_t clusters) {
  if (clusters < 1) throw ConfigError(kWhere, fmt::format("got {} clusters; expected at least 1", clusters));
  centers_ = add_parameter("centers", Tensor::zeros({clusters, sample.numel()}));
}

Tensor KMeans::forward(const Tensor& x) {
  const int64_t samples = x.size(0), clusters = centers_.size(0), width = centers_.size(1);
  if (x.numel() != samples * width) {
    throw ShapeError(kWhere, fmt::format("got samples {}; expected {} numbers for each", x.shape().str(), width));
  }
  Tensor distances = Tensor::empty({samples, clusters});
  const float *rows = x.data(), *centers = centers_.data();
  float* out = distances.mutable_data();
  parallel_for(samples, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      for (int64_t k = 0; k < clusters; ++k) {
        double sum = 0;
        for (int64_t f = 0; f < width; ++f) {
          const double difference = static_cast<double>(rows[i * width + f]) - static_cast<double>(centers[k * width + f]);
          sum += difference * difference;
        }
        out[i * clusters + k] = static_cast<float>(std::sqrt(sum));
      }
    }
  });
  return distances;
}

std::string KMeans::describe() const { return fmt::format("KMeans({} clusters of {} numbers)", centers_.size(0), centers_.size(1)); }

std::unique_ptr<nn::Module> make_kmeans(const KMeansOptions& /*options*/, const Shape& input, int64_t clusters) {
  return std::make_unique<KMeans>(input, clusters);
}

}  // namespace danlu::models
