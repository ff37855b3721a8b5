// Runs that learn to answer from a FAQ: questions and answers to a bundle that answers, cites, and hands over to a person.
//
//   prepare   -> data_report.{json,txt}, split.json
//   train     the retriever: questions that train near the passages of their answers, and near each other
//   bundle    -> bundle/: infer::Answerer. What words and meaning are worth, and the confidence from which on is answered, are fitted on the
//             validation questions and half of those off topic
//   evaluate  -> report.{json,txt}, example_request.json: the test questions, beside BM25, and the other half
//
// A held-out question is not among those that can be found: its entry has its answer and its other questions left. What is served knows
// all of them.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "danlu/app/recipe/pipeline.h"
#include "danlu/data/dataset/pair_dataset.h"
#include "danlu/data/dataset/split.h"
#include "danlu/data/faq/faq.h"
#include "danlu/data/text/text_tokens.h"
#include "danlu/eval/choice_model.h"
#include "danlu/infer/answerer.h"

namespace danlu::app {

class FaqPipeline : public Pipeline {
 public:
  FaqPipeline(Recipe recipe, RunDirectory directory, Observer observer);
  FaqPipeline(RunDirectory directory, Observer observer);

  void check() override;
  void prepare() override;
  train::Result train(train::Start start) override;

 private:
  struct Question {
    std::string text;
    int64_t entry = 0;  // that answers it; -1: none does
  };
  struct Source {
    data::Faq faq;
    Hash128 hash;
    std::vector<Question> questions;  // those of all entries, one entry after the other
    data::Split split;                // of these
    std::vector<Question> off_topic_validation, off_topic_test;
    Json report;
    std::string report_text;
  };
  const Source& source();
  const data::TextTokens& tokens();
  std::string data_hash() override { return source().hash.hex(); }
  std::unique_ptr<models::Retriever> make_model();
  // Pairs of the questions of a part with the passages of their answers and, in training, with each other.
  data::PairDataset dataset(data::Part part);
  // The questions of a part; test and validation with those off topic.
  std::vector<Question> asked(data::Part part);
  // Of each entry the questions that train.
  std::vector<std::vector<std::string>> findable();
  // How well each entry fits, with the right one.
  static std::vector<eval::Choice> choices(const infer::FaqSearch& search, std::span<const Question> questions);
  infer::AnswerDecision decide(models::Retriever& model);
  void write_bundle() override;
  Evaluation measure() override;

  std::optional<Source> source_;
  std::unique_ptr<data::TextTokens> tokens_;
  bool prepared_ = false;  // by somebody before: the data are to be as they were then
};

}  // namespace danlu::app
