// Runs that learn a language from texts without labels, by telling hidden tokens: an encoder for other models to begin with.
//
//   prepare   -> data_report.{json,txt}, split.json, preprocess.json with the tokeniser
//   bundle    -> bundle/, which transfer.from names (infer/pretrained_encoder.h)
//   evaluate  -> report.{json,txt}: how well it tells the hidden tokens of the test split
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "danlu/app/recipe/data_source.h"
#include "danlu/app/recipe/pipeline.h"
#include "danlu/data/text/text_preprocess.h"

namespace danlu::app {

class PretrainingPipeline : public Pipeline {
 public:
  PretrainingPipeline(Recipe recipe, RunDirectory directory, Observer observer);
  PretrainingPipeline(RunDirectory directory, Observer observer);

  void check() override;
  void prepare() override;
  train::Result train(train::Start start) override;

 private:
  std::string data_hash() override { return source().content_hash().hex(); }
  DataSource& source();
  const data::Split& split();
  const FittedData& fitted();
  data::TextPreprocess preprocess();
  void require_words(const std::string& column, std::span<const int64_t> samples, const char* part);
  std::unique_ptr<nn::Module> make_model();
  void write_bundle() override;
  Evaluation measure() override;

  bool prepared_ = false;
  std::unique_ptr<DataSource> source_;
  std::optional<data::Split> split_;
  std::optional<FittedData> fitted_;
  QualityReport quality_;
};

}  // namespace danlu::app
