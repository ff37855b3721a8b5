// Runs that learn to predict: tables and images, classes and numbers.
//
//   prepare   -> data_report.{json,txt}, split.json, preprocess.json, config.json
//   evaluate  -> report.{json,txt}, explanation.json, example_request.json
//   kfold     -> kfold.json
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "danlu/app/recipe/compression.h"
#include "danlu/app/recipe/data_source.h"
#include "danlu/app/recipe/pipeline.h"
#include "danlu/app/recipe/teacher.h"
#include "danlu/data/dataset/kfold.h"
#include "danlu/eval/cross_validation.h"
#include "danlu/eval/report.h"
#include "danlu/infer/bundle.h"
#include "danlu/learn/models/model.h"

namespace danlu::compress {
class Pruning;
struct Narrowed;
}  // namespace danlu::compress

namespace danlu::app {

// What prepare decides, before any of it is written.
struct Plan {
  data::Split split;
  FittedData data;
  QualityReport quality;
  infer::BundleConfig config;
  int64_t parameters = 0;
  std::string summary;  // sizes of the parts, updates, the layers: a page for people
};

// A metric of the recipe over the folds of a cross-validation.
struct KfoldMeasure {
  const eval::Metric* metric = nullptr;
  std::vector<double> scores;  // of each fold; NaN where it is undefined
  eval::CrossValidationScore summary;
};

struct KfoldResult {
  std::vector<KfoldMeasure> measures;
  const KfoldMeasure& accuracy() const { return measures.front(); }
};

class PredictionPipeline : public Pipeline {
 public:
  PredictionPipeline(Recipe recipe, RunDirectory directory, Observer observer);
  PredictionPipeline(RunDirectory directory, Observer observer);

  const Plan& plan();
  void check() override { plan(); }
  void prepare() override;
  train::Result train(train::Start start) override;
  void kfold(const KfoldSection& options) override;
  Compression compress(const compress::Target& target, const CompressOptions& options, const RunDirectory& made) override;

  // What evaluate and kfold found, once they have run.
  const std::optional<eval::EvaluationReport>& quality() const { return quality_; }
  const std::optional<KfoldResult>& folds() const { return kfold_; }

 private:
  void show_samples(formats::EventWriter& events) override;
  std::string data_hash() override { return source().content_hash().hex(); }
  DataSource& source();
  const data::Split& split();
  const FittedData& fitted();
  models::ModelConfig model_for(const FittedData& data) const;  // with the vocabulary of texts
  std::unique_ptr<nn::Module> make_model(const FittedData& data, uint64_t seed);
  std::unique_ptr<train::Objective> make_objective(const FittedData& data) const;
  // Of the labels alone.
  train::PredictionObjective label_objective(const FittedData& data) const;
  Teacher find_teacher(const FittedData& data) const;
  Json check_objective(const Plan& plan) const;
  std::vector<data::Fold> make_folds(const KfoldSection& options);
  data::Split split_fold(const data::Fold& fold, int64_t number);
  // Samples that weights were not fitted to: raw outputs and classes.
  struct HeldOut {
    Tensor outputs;
    std::vector<int64_t> labels;
  };
  Tensor train_and_predict(const FittedData& data, std::span<const int64_t> validation, std::span<const int64_t> test, uint64_t seed);
  std::vector<data::Fold> decision_folds(std::span<const int64_t> all);
  HeldOut predict_left_out(const std::vector<std::string>& class_names);
  infer::Decision make_decision(nn::Module& model, const infer::BundleConfig& config);
  // Of one target; of several, each by the usual measures of its kind, called "NAME.auc" among those of the run.
  Evaluation measure_target(const infer::BundleConfig& config, const Json& preprocess, infer::Predictor& predictor, const Tensor& outputs);
  Evaluation measure_targets(const infer::BundleConfig& config, const Json& preprocess, infer::Predictor& predictor, const Tensor& outputs);
  eval::Predictions predict_fold(const data::Fold& fold, int64_t number);
  void write_bundle() override;
  Evaluation measure() override;
  void show_mistakes(const Json& examples) const;
  // prediction_compress.cpp. While it learns again, the weights of `pruning`, unless null, become fewer.
  void check_compression(const nn::Module& model, const Plan& plan) const;
  void learn_again(nn::Module& model, compress::Pruning* pruning, const CompressOptions& options);
  compress::Narrowed narrow(nn::Module& model, const infer::BundleConfig& config, double share, const CompressOptions& options);
  std::unique_ptr<nn::Module> make_smaller(infer::BundleConfig& config, const compress::Target& target, const CompressOptions& options, Json& settings);
  void compare_quality(Compression& found, const infer::BundleConfig& config, infer::Predictor& before, infer::Predictor& after);
  void write_smaller(const RunDirectory& made, const infer::BundleConfig& config, const nn::Module& model) const;
  void write_background();

  std::unique_ptr<DataSource> source_;
  std::optional<Plan> plan_;
  std::optional<data::Split> split_;  // read back from split.json, where there is no plan
  std::optional<FittedData> fitted_;
  std::optional<eval::EvaluationReport> quality_;
  std::optional<KfoldResult> kfold_;
};

}  // namespace danlu::app
