// The raw data of a recipe, read once, and what is fitted on a part of it.
//
// A table, a set of images and a column of texts differ in how they are read, described and transformed; training, splitting and
// evaluation see neither, only a DataSource and what its fit() gives.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "danlu/app/recipe/recipe.h"
#include "danlu/data/dataset/dataset.h"
#include "danlu/data/dataset/split.h"
#include "danlu/data/task.h"
#include "danlu/infer/predictor.h"
#include "danlu/learn/nn/module.h"

namespace danlu::app {

// Data ready for a model: transforms fitted on training samples and applied to all.
struct FittedData {
  data::TaskKind task = data::TaskKind::binary;
  std::vector<std::string> class_names;   // empty for regression, multitask and clustering
  std::vector<data::Head> heads;          // of several targets; empty otherwise
  Shape input_shape;                      // of one sample
  int64_t vocabulary = 0;                 // tokens or n-grams of a text, padding among them; 0: no text
  std::vector<nn::NamedTensor> buffers;   // of the model, by name, that say something of the training samples
  Json preprocess;                        // for the bundle
  Json background = nullptr;              // of a table, for the bundle: infer/background.h
  std::string reasons;                    // what was chosen for each column, a line each
  std::vector<int64_t> training_samples;  // those given to fit, without the ones that an option dropped
  std::unique_ptr<data::Dataset> dataset;

  int64_t outputs() const { return task == data::TaskKind::multitask ? data::outputs_of(heads) : data::task_outputs(task, static_cast<int64_t>(class_names.size())); }
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
  virtual int64_t size() const = 0;                     // samples with a label, where there are labels
  virtual std::span<const int64_t> strata() const = 0;  // class of each sample; empty for regression and without labels
  virtual std::span<const Hash128> hashes() const = 0;  // content of each sample
  virtual std::span<const data::Part> given() const { return {}; }
  virtual Hash128 content_hash() const;  // of all samples and their labels

  virtual QualityReport report(const data::Split& split) const = 0;
  // Looks at the training samples and at no others.
  virtual FittedData fit(std::span<const int64_t> training) const = 0;

  // What a bundle takes for some samples, by the way that predict and serve take.
  virtual Tensor encode(const infer::Predictor& predictor, std::span<const int64_t> samples) const = 0;
  // Its outputs for them, (N, classes) or (N, 1).
  Tensor predict(infer::Predictor& predictor, std::span<const int64_t> samples) const;
  // The true class indexes, in the order of the bundle's classes; of several labels a sample N x labels zeros and ones. `preprocess` is that
  // of the bundle; `target` names one of several.
  virtual std::vector<int64_t> labels(std::span<const int64_t> samples, const Json& preprocess, const std::string& target = "") const = 0;
  // The true numbers, for regression.
  virtual std::vector<double> targets(std::span<const int64_t> samples, const std::string& target = "") const = 0;
  // What a column of the source says of some samples, as text. Throws ConfigError where there is no such column.
  virtual std::vector<std::string> values_of(const std::string& column, std::span<const int64_t> samples) const;
  // A sample as the body of POST /v1/predict: {"rows": [{...}]} or {"image": "..."}.
  virtual Json example(const infer::Predictor& predictor, int64_t sample) const = 0;
};

// Reads what `data.source` names: a directory of images, or a table, of which a model for text reads a column of text, and which may name images. Throws ConfigError
// for options that do not fit the kind of data, FileError or DataError as the readers do.
std::unique_ptr<DataSource> open_source(const Recipe& recipe);

// The kinds, for open_source. A source without labels has no labels() and no targets(): its task is clustering. `partners` are the rows without
// a label that training looks at beside each row with one; 0: such rows are left out.
enum class Labels : uint8_t { given, none };
std::unique_ptr<DataSource> open_table(const DataSection& options, Labels labels, int64_t partners = 0);
std::unique_ptr<DataSource> open_texts(const DataSection& options, const TokenizerSection& tokenizer, Labels labels, int64_t partners = 0);
std::unique_ptr<DataSource> open_ngrams(const DataSection& options, const data::NgramOptions& ngrams, int64_t partners = 0);
std::unique_ptr<DataSource> open_images(const DataSection& options, Labels labels);
std::unique_ptr<DataSource> open_image_table(const DataSection& options);

}  // namespace danlu::app
