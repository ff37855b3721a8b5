// The stages of a run. Each reads and writes the run directory, so that any can be run again alone.
//
//   prepare   raw data -> report, split, fitted transforms, resolved recipe
//   train     -> checkpoints/{best,last}, metrics.jsonl
//   bundle    best checkpoint -> bundle/
//   evaluate  the test split, through the bundle as it lies on disk -> report.{json,txt}, bundle/metrics.json, card.md
//   kfold     the whole recipe on every fold -> kfold.json
//
// A stage that is run again removes what the later ones had made. When one throws, run.json says so and keeps the
// words.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "danlu/app/recipe/data_source.h"
#include "danlu/app/recipe/recipe.h"
#include "danlu/app/recipe/run_directory.h"
#include "danlu/data/dataset/kfold.h"
#include "danlu/eval/cross_validation.h"
#include "danlu/eval/report.h"
#include "danlu/infer/bundle.h"
#include "danlu/learn/train/trainer.h"

namespace danlu::app {

// Whoever watches a run. Calls come from the thread that runs it.
struct Observer {
  std::function<void(const std::string& stage)> on_stage;  // "train", when it begins
  // What a stage found out: a page for people and the same for programs.
  std::function<void(const std::string& name, const std::string& text, const Json& json)> on_report;
  std::function<void(int64_t done, int64_t total)> on_fold;
  train::Callbacks training;

  bool stop_requested() const { return training.stop_requested != nullptr && training.stop_requested->load(); }
};

// What prepare decides, before any of it is written.
struct Plan {
  data::Split split;
  FittedData data;
  QualityReport quality;
  infer::BundleConfig config;
  int64_t parameters = 0;
  std::string summary;  // sizes of the parts, updates, the layers: a page for people
};

struct KfoldResult {
  eval::CrossValidationScore accuracy;
  std::vector<double> scores;  // of each fold
};

class Pipeline {
 public:
  // A new run of this recipe. Reads the data; nothing is written before prepare().
  Pipeline(Recipe recipe, RunDirectory directory, Observer observer);
  // A run that has been prepared, read back from its directory.
  Pipeline(RunDirectory directory, Observer observer);

  // Everything that prepare does but for writing it. Throws whatever is wrong with the recipe or the data.
  const Plan& plan();

  void prepare();
  train::Result train();
  void bundle();
  eval::EvaluationReport evaluate();
  KfoldResult kfold(const KfoldSection& options);

  // All of them, kfold if the recipe asks for it. Nothing after a training that was stopped on request: then no value.
  std::optional<eval::EvaluationReport> run();

  const Recipe& recipe() const { return recipe_; }
  const RunDirectory& directory() const { return directory_; }

 private:
  DataSource& source();
  const data::Split& split();
  const FittedData& fitted();
  std::unique_ptr<nn::Module> make_model(const FittedData& data, uint64_t seed) const;
  std::vector<data::Fold> make_folds(const KfoldSection& options);
  data::Split split_fold(const data::Fold& fold, int64_t number);
  double score_fold(const data::Fold& fold, int64_t number);
  void write_bundle();
  void write_example(const infer::Predictor& predictor);
  void write_card(const eval::EvaluationReport& report) const;
  void report(const char* name, const std::string& text, const Json& json) const;

  void begin(const char* stage);  // takes the lock, tells the observer
  void guarded(const std::function<void()>& work) const;
  void stage(const char* name, const std::function<void()>& work);

  Recipe recipe_;
  RunDirectory directory_;
  Observer observer_;
  std::unique_ptr<RunLock> lock_;
  std::unique_ptr<DataSource> source_;
  std::optional<Plan> plan_;
  std::optional<data::Split> split_;  // read back from split.json, where there is no plan
  std::optional<FittedData> fitted_;
};

}  // namespace danlu::app
