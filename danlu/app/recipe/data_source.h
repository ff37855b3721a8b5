// The raw data of a recipe, read once, and what is fitted on a part of it.
//
// A table and a set of images differ in how they are read, described and transformed; training, splitting and evaluation
// see neither, only a DataSource and what its fit() gives.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "danlu/app/recipe/recipe.h"
#include "danlu/data/dataset/dataset.h"
#include "danlu/data/dataset/split.h"
#include "danlu/data/task.h"
#include "danlu/infer/bundle.h"
#include "danlu/infer/predictor.h"

namespace danlu::app {

// Data ready for a model: transforms fitted on training samples and applied to all.
struct FittedData {
  data::TaskKind task = data::TaskKind::binary;
  std::vector<std::string> class_names;
  Shape input_shape;
  Json preprocess;                        // for the bundle
  std::string reasons;                    // what was chosen for each column, for people
  std::vector<int64_t> training_samples;  // those given to fit, without the ones that an option dropped
  std::unique_ptr<data::Dataset> dataset;
};

// What the data quality report found.
struct QualityReport {
  Json json;
  std::string text;
  bool passed = true;
};

class DataSource {
 public:
  virtual ~DataSource() = default;

  virtual infer::InputKind kind() const = 0;
  virtual int64_t size() const = 0;                       // samples with a label
  virtual std::span<const int64_t> strata() const = 0;    // class of each sample; empty for regression
  virtual std::span<const Hash128> hashes() const = 0;    // content of each sample, label included
  virtual std::span<const data::Part> given() const { return {}; }
  Hash128 content_hash() const;                           // of all samples

  virtual QualityReport report(const data::Split& split) const = 0;
  virtual FittedData fit(std::span<const int64_t> training) const = 0;

  // Raw outputs of a bundle for some samples, as predict and serve would compute them, and the true answers.
  virtual Tensor predict(infer::Predictor& predictor, std::span<const int64_t> samples) const = 0;
  // Class indexes in the order of `class_names`, for classification.
  virtual std::vector<int64_t> labels(std::span<const int64_t> samples, const std::vector<std::string>& class_names) const = 0;
  // Numbers, for regression.
  virtual std::vector<double> targets(std::span<const int64_t> samples) const = 0;
};

// Reads what `data.source` names. Throws ConfigError for options that do not fit the kind of data, FileError or DataError as
// the readers do.
std::unique_ptr<DataSource> open_source(const DataSection& options);

}  // namespace danlu::app
