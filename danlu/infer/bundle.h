// The bundle: a directory with all that serving needs, in formats that others read too.
//
//   model.safetensors   weights and buffers, by the names of the modules
//   config.json         what the model is: task, input, classes, layers (BundleConfig)
//   preprocess.json     the fitted transforms: data::TablePreprocessor, ImagePreprocess or TextPreprocess
//
// Every file is written atomically, config.json last: a directory without it is not a bundle. Evaluation lays metrics.json and
// card.md beside them, for people.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "danlu/base/files.h"
#include "danlu/base/json.h"
#include "danlu/data/table/table.h"
#include "danlu/data/task.h"
#include "danlu/infer/decision.h"
#include "danlu/learn/nn/module.h"

namespace danlu::infer {

enum class InputKind { table, image, text };
const char* name_of(InputKind kind);  // "table"

struct BundleConfig {
  std::string name;
  data::TaskKind task = data::TaskKind::binary;
  InputKind input = InputKind::table;
  Shape input_shape;                     // of one sample: (F), (H, W, C), or (T) tokens at most
  std::vector<std::string> class_names;  // empty for regression and multitask; of the clusters for clustering; that images are made of
  std::vector<data::Head> heads;         // of a multitask model; empty otherwise
  std::string target;                    // the column or quantity that is predicted
  Decision decision;                     // from outputs to answers
  std::string notice;                    // what every answer says besides; may be empty
  data::MissingWords missing;            // as the training data had them
  Json model;                            // ModelConfig::resolved
  Json training = Json::object();        // how it came about: version, seed, data hash, step; not needed to serve

  bool decides() const { return data::has_classes(task) || task == data::TaskKind::multilabel; }
  int64_t outputs() const { return task == data::TaskKind::multitask ? data::outputs_of(heads) : data::task_outputs(task, static_cast<int64_t>(class_names.size())); }
  Json to_json() const;
  // Throws DataError naming `source` and the field that is absent, of the wrong type or inconsistent.
  static BundleConfig from_json(const Json& json, const std::string& source);
};

// Throws FileError if a file cannot be written.
void write_bundle(const fs::path& directory, const BundleConfig& config, const nn::Module& model, const Json& preprocess);

// Does the directory, or the bundle/ in it, hold a bundle of this kind? Reads config.json alone.
bool is_bundle(const fs::path& directory);

struct Bundle {
  fs::path directory;  // that the files were found in
  BundleConfig config;
  Json preprocess;
  std::unique_ptr<nn::Module> model;  // in evaluation mode
};

// A run directory is taken for its bundle/. Throws FileError for a file that is absent, with a hint at `danlu run` when the
// directory is no bundle, and DataError naming the file for one whose contents are damaged or do not fit the others.
Bundle read_bundle(const fs::path& directory);

}  // namespace danlu::infer
