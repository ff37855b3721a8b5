// A trained bundle, ready to answer: the same transforms as in training, the model, the names of the classes.
//
// predict (files) and serve (HTTP) both go through here, so that they answer alike. The three steps are apart so that a
// server can encode on its request threads and run many requests as one batch:
//
//   Predictor predictor(bundle);
//   Tensor x = predictor.encode(table);          // or encode(images)
//   Tensor y = predictor.run(x);                 // (N, C) calibrated probabilities or distances, or (N, 1) values for regression; of several targets
//                                                // these side by side
//   std::vector<Prediction> answers = predictor.decode(y);
//
// Threads: encode and decode may be called from any number of threads at once; run by one thread at a time.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "danlu/base/files.h"
#include "danlu/base/json.h"
#include "danlu/data/image/image.h"
#include "danlu/data/table/table.h"
#include "danlu/engine/tensor/tensor.h"
#include "danlu/infer/bundle.h"

namespace danlu::data {
class TablePreprocessor;
class TextPreprocess;
}  // namespace danlu::data

namespace danlu::infer {

// What a model says of one row, text or image. A class may be called "": the task, and not an empty name, says what is meant.
struct Prediction {
  std::string label;                  // the class that the bundle's decision comes to, or kAbstain, or the nearest cluster; empty for other tasks
  std::vector<double> probabilities;  // of classes and labels, in the order of Predictor::class_names(); empty for other tasks
  bool several_labels = false;        // of a sample
  std::vector<std::string> labels = {};  // several labels only: those that hold
  std::vector<double> distances = {}; // clustering only: from the centre of each cluster, in the order of class_names()
  double value = 0;                   // regression only
  Json targets = nullptr;             // multitask only: what is said of each target, {"price": {"value": 3.2}, "sold": {"label": ...}}
  std::string notice = {};            // what the bundle says beside every answer; may be empty
};

class Predictor {
 public:
  // Opens a bundle, or that of a run directory, as read_bundle does. Throws FileError or DataError naming the file.
  explicit Predictor(const fs::path& bundle);
  ~Predictor();
  Predictor(Predictor&&) noexcept;
  Predictor& operator=(Predictor&&) noexcept;

  const std::string& name() const;
  InputKind input_kind() const;
  data::TaskKind task() const;
  const std::vector<data::Head>& heads() const;            // empty but for multitask
  const std::vector<std::string>& class_names() const;     // or of labels or clusters; empty for regression and multitask
  // The columns that a row must have; empty for images.
  const std::vector<std::string>& input_columns() const;
  // How the training data wrote missing values; for reading questions in the same way.
  const data::MissingWords& missing() const;
  int64_t num_parameters() const;
  const Json& config() const;  // config.json

  // For explanations: how inputs are encoded, null for those of another kind; and the rows of background.json, undefined without one.
  const data::TablePreprocessor* table_preprocess() const;
  const data::TextPreprocess* text_preprocess() const;
  const Tensor& background() const;

  // Throw DataError for input that does not fit: a missing column, a value of the wrong type, an unknown category where
  // the recipe refuses those.
  Tensor encode(const data::Table& table) const;
  Tensor encode(std::span<const data::Image> images) const;

  Tensor run(const Tensor& x);
  // What run() asks its model, with which compression can look for itself: encoded samples without the padding that all have.
  Tensor narrowed(const Tensor& x) const;
  const nn::Module& model() const;
  std::vector<Prediction> decode(const Tensor& outputs) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// {"label": "malignant", "probabilities": {"malignant": 0.98, "benign": 0.02}}, {"value": 3.2} or
// {"cluster": "2", "distances": {"1": 4.1, "2": 0.8}}, or of several labels {"labels": ["spam"], "probabilities": {"spam": 0.9, "urgent": 0.1}};
// {"targets": {"price": {"value": 3.2}, "sold": {"label": "yes", "probabilities": {...}}}} of several targets; and "notice", where there is one.
Json to_json(const Prediction& prediction, const std::vector<std::string>& class_names);

}  // namespace danlu::infer
