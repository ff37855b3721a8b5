// Runs that find groups in samples that nobody has labelled: rows of a table, or images.
//
//   prepare   -> data_report.{json,txt}, split.json, preprocess.json, config.json; how many groups, where the recipe leaves that open
//   train     -> checkpoints/best.safetensors, metrics.jsonl: a line for each restart. Nothing is kept on the way: what is interrupted begins
//                again, and comes to the same centres
//   evaluate  -> report.{json,txt}, example_request.json: the test split by the centres that the training split has; whether two halves of
//                the training split have the same groups; what each group is like
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "danlu/app/recipe/data_source.h"
#include "danlu/app/recipe/pipeline.h"
#include "danlu/infer/bundle.h"
#include "danlu/learn/models/kmeans.h"

namespace danlu::app {

class ClusterPipeline : public Pipeline {
 public:
  ClusterPipeline(Recipe recipe, RunDirectory directory, Observer observer);
  ClusterPipeline(RunDirectory directory, Observer observer);

  void check() override;
  void prepare() override;
  train::Result train(train::Start start) override;
  std::string replay() override;
  void set_profile(bool on) override;
  bool goes_on() const override { return false; }
  train::LrRange lr_range_test(const train::LrRangeOptions& range, const std::function<void(const train::LrRange::Point&)>& on_point) override;

 private:
  std::string data_hash() override { return source().content_hash().hex(); }
  DataSource& source();
  const data::Split& split();
  const FittedData& fitted();
  models::KMeansOptions options() const;
  int64_t choose_number(const models::KMeansOptions& options);
  std::unique_ptr<models::KMeans> make_model();
  // The samples as the model takes them, (N, ...).
  Tensor samples_of(std::span<const int64_t> samples);
  // The mean squared distance of the validation split, if there is one.
  std::optional<double> validate(const Tensor& centers);
  double stability(const Tensor& tested);
  Json describe_clusters(const infer::Bundle& bundle);
  void write_bundle() override;
  Evaluation measure() override;

  std::unique_ptr<DataSource> source_;
  std::optional<data::Split> split_;
  std::optional<FittedData> fitted_;
  QualityReport quality_;
};

// Of distances (N, clusters): those from the nearest centre, (N), and which that is.
Tensor nearest_distances(const Tensor& distances);
std::vector<int64_t> nearest_clusters(const Tensor& distances);

}  // namespace danlu::app
