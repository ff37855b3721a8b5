// A recipe: everything that makes a run, from raw data to bundle. Each part is the options struct of the room that does
// the work; this file only puts them together.
//
//   name: credit-risk
//   data: {source: credit.csv, target: class}
//   model: {type: mlp, hidden: [64, 32]}
//   train: {epochs: 40, optimizer: {type: adamw, lr: 1e-3}, early_stop: 5}
//   evaluate: {metrics: [auc, accuracy]}
//
// A language model has a tokeniser besides:
//
//   name: poet
//   data: {source: poems/, text: {documents: separator}}
//   tokenizer: {vocab_size: 2048}
//   model: {type: gpt, layers: 6, heads: 6, width: 192, context: 256}
//   train: {epochs: 20, optimizer: {type: adamw, lr: 1e-3}}
//
// An encoder can learn from texts without labels, for others to begin with:
//
//   name: described
//   data: {source: descriptions.csv, text: {column: description}}
//   model: {type: masked_encoder, layers: 4, width: 256}
//
// A model can begin with the weights of another:
//
//   transfer: {from: photos}
//   train: {freeze: [stem, stages], epochs: 5}
//
// A retriever answers from a FAQ:
//
//   name: help
//   data: {source: faq.csv, faq: {off_topic: other_questions.csv}}
//   model: retriever
//
// A recommender learns from who met what and when:
//
//   name: films
//   data: {source: ratings.csv, interactions: {time: timestamp, title: title}}
//   model: {type: sequential, width: 64}
//
// Several targets can be told by one model:
//
//   data: {source: houses.csv, targets: {price: {scale: log}, sold: {weight: 0.5}}}
//
// and of images that a table names:
//
//   data: {source: photos.csv, image: {column: file}, labels: [dog, cat, indoors]}
//
// Groups are found without a target:
//
//   name: weather-kinds
//   data: {source: seattle-weather.csv}
//   model: kmeans
//
// A forecaster learns from series of numbers:
//
//   name: rides
//   data: {source: rides.csv, series: {time: date, values: rides, horizon: 14}}
//   model: {type: mlp, hidden: [64]}
//
// When a model is finished, a smaller one can be made of it:
//
//   compress: {to: int8, tolerance: 0.5}
//
// `danlu tune` looks for better values of some keys, by the section `tune`; everything else leaves it aside.
//
// Values come, the later the weaker, from key.sub=value on the command line, environment variables (DANLU_TRAIN_EPOCHS
// for train.epochs), the file, and the defaults.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "danlu/app/recipe/compress_options.h"
#include "danlu/app/recipe/decision_section.h"
#include "danlu/base/files.h"
#include "danlu/base/options.h"
#include "danlu/data/dataset/split.h"
#include "danlu/data/faq/faq.h"
#include "danlu/data/image/augment.h"
#include "danlu/data/image/folder.h"
#include "danlu/data/interactions/interactions.h"
#include "danlu/data/series/series.h"
#include "danlu/data/table/csv.h"
#include "danlu/data/table/preprocessor.h"
#include "danlu/data/table/report.h"
#include "danlu/data/text/clean.h"
#include "danlu/data/text/ngrams.h"
#include "danlu/data/text/text_source.h"
#include "danlu/eval/report.h"
#include "danlu/infer/sampler.h"
#include "danlu/learn/train/trainer.h"
#include "danlu/learn/tune/options.h"

namespace danlu::app {

// How images are read.
struct ImageSection : data::FolderOptions {
  std::string column;  // of a table: the files, by their paths from the table on
  void describe(OptionVisitor& v);
};

// How text becomes documents, and documents become windows of tokens.
struct TextSection {
  data::TextSourceOptions source;  // its keys stand beside the others
  data::CleanOptions clean;
  std::string column;  // of a table, for models that say something of each text
  int64_t length = 0;
  double token_dropout = 0;
  double mask_rate = 0.15;
  std::string split_by = "auto";
  bool isolate_documents = true;
  void describe(OptionVisitor& v);
};

struct DataSection {
  std::string source;
  std::string licence;  // of the data
  data::TableOptions table;  // its keys stand beside `source`: target, task, columns ...
  std::vector<std::string> class_names;
  data::CsvOptions csv;
  ImageSection image;
  TextSection text;
  data::InteractionOptions interactions;
  data::SeriesOptions series;
  data::FaqOptions faq;
  data::AugmentOptions augment;
  data::SplitOptions split;
  data::ReportOptions report;
  bool strict = false;
  void describe(OptionVisitor& v);
};

struct TokenizerSection {
  std::string type = "bpe";
  int64_t vocab_size = 4096;
  int64_t min_frequency = 2;
  std::string pattern = "gpt2";
  std::string file;           // a tokeniser that is there already
  std::string chat_template;  // Jinja
  void describe(OptionVisitor& v);
};

// Text that a language model writes after each validation, so that one can read how it comes along.
struct SampleSection {
  std::vector<std::string> prompts;
  int64_t tokens = 64;
  infer::SamplingOptions sampling;
  void describe(OptionVisitor& v);
};

// Repeated stratified k-fold over all labelled samples, beside the one split.
struct KfoldSection {
  int64_t folds = 0;  // 0: none
  int64_t repeats = 1;
  int64_t seed = 0;
  void describe(OptionVisitor& v);
};

struct EvaluateSection {
  eval::EvaluateOptions report;
  KfoldSection kfold;
  SampleSection sample;
  std::vector<std::string> demographic;  // columns that name groups of people
  int64_t top = 10;  // recommendations that are measured
  Json gates = Json::object();  // metric -> bound: gates.h
  std::optional<double> price_per_hour;
  double explain_seconds = 10;
  void describe(OptionVisitor& v);
};

// How questions are answered from a FAQ: infer/answerer.h.
struct DialogueSection {
  double precision = 0.9;
  double context = 0.5;
  std::string hand_over = "I am not sure enough to answer this myself. A colleague will take over.";
  void describe(OptionVisitor& v);
};

// Where the first weights come from; learn/train/transfer.h says how names are matched.
struct TransferSection {
  std::string from;
  Json names = Json::object();
  void describe(OptionVisitor& v);
};

// What a recipe makes. Each has a pipeline of its own: pipeline.h.
enum class RecipeKind {
  prediction,      // classes and numbers, of tables, images and texts
  language,        // text that goes on
  pretraining,     // an encoder for others to begin with, of texts without labels
  images,          // what images look like, without labels
  clusters,        // groups that nobody has named
  forecast,        // series of numbers
  recommendation,  // items for users
  faq,             // answers to questions
};

struct Recipe {
  std::string name;
  int64_t seed = 1;
  int64_t threads = 0;
  DataSection data;
  TokenizerSection tokenizer;
  data::NgramOptions ngrams;  // for models that read them in place of tokens
  Json model = nullptr;
  TransferSection transfer;
  train::TrainOptions train;
  DecisionSection decision;
  DialogueSection dialogue;
  EvaluateSection evaluate;
  CompressSection compress;
  std::string purpose;  // what the model is for
  std::string notice;  // to stand beside every answer
  tune::TuneOptions tune;
  void describe(OptionVisitor& v);

  std::string text;  // the file as given, or what was derived for want of one
  Json given;        // its values, with those of the environment and the command line
  // Why an option has the value that it was given automatically: key path -> lines.
  std::map<std::string, std::string> reasons;

  // Whether somebody chose this key ("train.batch_size"), or a default stands there.
  bool gives(const std::string& key_path) const;

  // The word that its model is chosen by; empty where the recipe leaves it open.
  std::string model_type() const;

  // The type of its model says so, or, where that is left open, what is named of its data.
  RecipeKind kind() const;

  // Does it say something of each text of a table? Its model reads text, or a column of text is named.
  bool reads_text() const;

  // And does it by n-grams?
  bool reads_ngrams() const;

  // Every option of a run, defaults included, as YAML with the reasons as comments; reopen_recipe reads it back.
  std::string render() const;
};

// Reads and checks a recipe. `overrides` are "key.sub=value". Without a name it is called as the file is. Throws
// FileError; ConfigError with file:line.
Recipe load_recipe(const fs::path& path, const std::vector<std::string>& overrides = {});

// The recipe for a data source and a target (empty for images), before anything is known of the data.
Recipe derive_recipe(const std::string& source, const std::string& target,
                     const std::vector<std::string>& overrides = {});

// The same recipe with other values for some keys, {"train.batch_size": 64}, checked as if they stood in its file, and without its
// sections `tune` and `compress`. Throws ConfigError.
Recipe vary_recipe(const Recipe& recipe, const Json& values);

// What render() wrote: the environment has had its say already, and every option is there, whether it means something or not.
Recipe reopen_recipe(const fs::path& path);

// ${NAME} by the environment; DANLU_DATA defaults to the cache, ~/.cache/danlu; a leading ~/ is the home directory.
// Throws ConfigError for an unset name.
std::string expand_path(const std::string& text);

}  // namespace danlu::app
