// Runs that learn to write: a text to a language model.
//
//   prepare   -> data_report.{json,txt}, tokenizer/, tokens/{train,validation,test}-*.tokens, config.json
//   train     -> also samples.jsonl: what the model wrote after each validation
//   bundle    -> bundle/, a folder that transformers opens
//   evaluate  -> report.{json,txt}: loss, perplexity, bits per byte of the test part (of the validation part, if there is no test part)
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "danlu/app/recipe/language_corpus.h"
#include "danlu/app/recipe/pipeline.h"
#include "danlu/data/dataset/token_dataset.h"
#include "danlu/data/text/tokenizer.h"
#include "danlu/eval/language.h"
#include "danlu/infer/language_model.h"

namespace danlu::app {

class LanguagePipeline : public Pipeline {
 public:
  LanguagePipeline(Recipe recipe, RunDirectory directory, Observer observer);
  LanguagePipeline(RunDirectory directory, Observer observer);

  void check() override;
  void prepare() override { prepare_from(nullptr); }
  void prepare_like(const RunDirectory& prepared) override { prepare_from(&prepared); }
  train::Result train(train::Start start) override;
  Compression compress(const compress::Target& target, const CompressOptions& options, const RunDirectory& made) override;

 private:
  std::string data_hash() override { return corpus().content_hash().hex(); }
  const LanguageCorpus& corpus();
  void prepare_from(const RunDirectory* prepared);
  void link_tokens(const RunDirectory& prepared) const;
  data::Tokenizer make_tokenizer();
  void write_tokens(const data::Tokenizer& tokenizer);
  // The network of the recipe, in the shape that its prepared tokeniser asks for, with its first weights.
  std::shared_ptr<infer::LanguageModel> make_model() const;
  std::string write_samples(const std::shared_ptr<infer::LanguageModel>& model, const train::EpochReport& epoch) const;
  // A text part, in windows of the model's context.
  data::TokenDataset windows_of(data::Part part, int64_t context) const;
  data::Part measured_part() const;  // test, else validation
  bool has_held_out_text() const;
  void write_compressed(const RunDirectory& made, const infer::LanguageModel& model, const Compression& found) const;
  void write_bundle() override;
  Evaluation measure() override;

  std::optional<LanguageCorpus> corpus_;
};

}  // namespace danlu::app
