// The stages of a run. Each reads and writes the run directory, so that any can be run again alone.
//
//   prepare   raw data -> report, split, fitted transforms, resolved recipe
//   train     -> checkpoints/{best,last}, metrics.jsonl
//   bundle    best checkpoint -> bundle/
//   evaluate  the test split, through the bundle as it lies on disk -> report.{json,txt}, bundle/metrics.json, card.md
//   kfold     the whole recipe on every fold -> kfold.json
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "danlu/app/recipe/data_source.h"
#include "danlu/app/recipe/recipe.h"
#include "danlu/app/recipe/run_directory.h"
#include "danlu/eval/cross_validation.h"
#include "danlu/eval/report.h"
#include "danlu/learn/train/trainer.h"

namespace danlu::app {

// Whoever watches a run. Calls come from the thread that runs it.
struct Observer {
  std::function<void(const std::string& stage)> on_stage;      // "train", when it begins
  std::function<void(const std::string& text)> on_text;        // a page for people: a report, a summary
  train::Callbacks training;
  std::function<void(int64_t done, int64_t total)> on_fold;
};

struct KfoldResult {
  std::string metric;  // "accuracy", or "r2" for regression
  eval::CrossValidationScore score;
};

class Pipeline {
 public:
  // A new run of this recipe in `directory`, which is cleared first.
  Pipeline(Recipe recipe, RunDirectory directory, Observer observer);
  // A run that has been prepared, read back from its directory.
  Pipeline(RunDirectory directory, Observer observer);
  ~Pipeline();

  void prepare();
  train::Result train();
  void bundle();
  eval::EvaluationReport evaluate();
  KfoldResult kfold();
  // All of them, and kfold if the recipe asks for it. A failure is written to run.json before it is thrown on.
  eval::EvaluationReport run();

  const Recipe& recipe() const { return recipe_; }
  const RunDirectory& directory() const { return directory_; }

 private:
  DataSource& source();
  const data::Split& split();
  data::Split make_split() ;
  FittedData& fitted();
  std::unique_ptr<nn::Module> make_model(const FittedData& data, uint64_t seed) const;
  void begin(const char* stage);
  void write_card(const eval::EvaluationReport& report) const;
  // Runs a stage; when it throws, run.json says so.
  template <class Stage>
  auto guarded(const Stage& stage);

  Recipe recipe_;
  RunDirectory directory_;
  Observer observer_;
  std::unique_ptr<DataSource> source_;
  std::optional<data::Split> split_;
  std::optional<FittedData> fitted_;
};

}  // namespace danlu::app
