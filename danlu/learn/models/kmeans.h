// k-means: samples belong to the centre that they are nearest to. Nobody says what the groups are; the centres are found where samples lie
// close together (learn/train/fit_kmeans.h), not by updates.
//
//   model: kmeans                        # as many clusters as stand apart best
//   model: {type: kmeans, clusters: 4}
//
// Source    Lloyd 1982, "Least squares quantization in PCM".
#pragma once

#include <memory>

#include "danlu/base/options.h"
#include "danlu/learn/nn/module.h"

namespace danlu::models {

struct KMeansOptions {
  int64_t clusters = 0;  // 0: chosen by whoever fits them
  int64_t most_clusters = 10;
  int64_t restarts = 10;
  int64_t iterations = 300;
  double tolerance = 1e-4;
  void describe(OptionVisitor& v);
};

class KMeans : public nn::Module {
 public:
  // Centres at zero, until load_checkpoint or set_centers puts them where they belong.
  KMeans(const Shape& sample, int64_t clusters);

  // Samples (N, ...) to their Euclidean distances from each centre, (N, clusters). Not differentiable. Threads: parallel inside.
  Tensor forward(const Tensor& x) override;
  // (clusters, numbers of a sample)
  const Tensor& centers() const { return centers_; }
  void set_centers(const Tensor& centers) { centers_.copy_from(centers); }
  std::string describe() const override;

 private:
  Tensor centers_;
};

// `clusters` is that of the options, or what was chosen in place of a 0.
std::unique_ptr<nn::Module> make_kmeans(const KMeansOptions& options, const Shape& input, int64_t clusters);

}  // namespace danlu::models
