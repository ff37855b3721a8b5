// A recipe: everything that makes a run, from raw data to bundle. Each part is the options struct of the room that does the
// work; this file only puts them together.
//
//   name: credit-risk
//   data: {source: credit.csv, target: class}
//   model: {type: mlp, hidden: [64, 32]}
//   train: {epochs: 40, optimizer: {type: adamw, lr: 1e-3}, early_stop: 5}
//   evaluate: {metrics: [auc, accuracy]}
//
// Values come, the later the weaker, from key.sub=value on the command line, environment variables (DANLU_TRAIN_EPOCHS for
// train.epochs), the file, and the defaults.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "danlu/app/recipe/yaml.h"
#include "danlu/base/files.h"
#include "danlu/base/options.h"
#include "danlu/data/dataset/split.h"
#include "danlu/data/image/augment.h"
#include "danlu/data/image/folder.h"
#include "danlu/data/table/csv.h"
#include "danlu/data/table/preprocessor.h"
#include "danlu/data/table/report.h"
#include "danlu/eval/report.h"
#include "danlu/learn/train/trainer.h"

namespace danlu::app {

struct DataSection {
  std::string source;           // a table file, or a directory of images; ${NAME} is the environment's
  data::TableOptions table;     // target, task, columns ...; of tables
  data::CsvOptions csv;
  data::FolderOptions image;    // of images
  data::AugmentOptions augment;
  data::SplitOptions split;
  data::ReportOptions report;
  bool strict = false;
  void describe(OptionVisitor& v);
};

// Repeated stratified k-fold over all labelled samples, beside the one split.
struct KfoldSection {
  int64_t folds = 0;
  int64_t repeats = 1;
  int64_t seed = 0;
  void describe(OptionVisitor& v);
};

struct EvaluateSection {
  eval::EvaluateOptions report;
  KfoldSection kfold;
  void describe(OptionVisitor& v);
};

struct Recipe {
  std::string name;
  int64_t seed = 1;
  int64_t threads = 0;
  DataSection data;
  Json model = nullptr;
  train::TrainOptions train;
  EvaluateSection evaluate;
  // Why an option has the value that it was given automatically: key path -> one line.
  std::map<std::string, std::string> reasons;
  void describe(OptionVisitor& v);

  // Every option, defaults included, as YAML with the reasons as comments; load_recipe reads it back.
  std::string render() const;
};

// Reads and checks a recipe. `overrides` are "key.sub=value" with values as YAML. Throws FileError or ConfigError with
// file:line.
Recipe load_recipe(const fs::path& path, const std::vector<std::string>& overrides = {});

// The recipe for a data source and a target (empty for images), before anything is known of the data.
Recipe derive_recipe(const std::string& source, const std::string& target, const std::vector<std::string>& overrides = {});

// Fills what the recipe left open from the size of the data, and says why in `reasons`: the model (mlp for rows, cnn for
// images), epochs, batch size. Explicit values stay.
void complete(Recipe& recipe, bool images, int64_t samples);

// ${NAME} by the environment; DANLU_DATA defaults to the cache, ~/.cache/danlu; a leading ~/ is the home directory.
// Throws ConfigError for an unset name.
std::string expand_path(const std::string& text);

}  // namespace danlu::app
