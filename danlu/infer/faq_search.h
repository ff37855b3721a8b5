// How well each entry of a FAQ fits a question, by words and by meaning.
//
//   feature      of an entry
//   questions    the words that the question has in common with the nearest of the entry's questions (lexical_index.h, grams)
//   text         the same with all of it, questions and answer
//   passage      the cosine with the nearest passage of its answer (learn/models/retriever.h)
//   none         0; 1 for the alternative that no entry fits, the last one, of which all else is 0
//
// What they are worth is for a choice model to say (eval/choice_model.h).
// Threads   all const members may be called by any number at once.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "danlu/data/faq/faq.h"
#include "danlu/data/text/text_tokens.h"
#include "danlu/infer/lexical_index.h"
#include "danlu/learn/models/retriever.h"

namespace danlu::infer {

class FaqSearch {
 public:
  static constexpr int64_t kFeatures = 4;
  // `questions`: those of each entry that can be found, any number. The others are as if nobody had written them. The model is in evaluation
  // mode; model and tokens must outlive this.
  FaqSearch(const data::Faq& faq, std::span<const std::vector<std::string>> questions, models::Retriever& model, const data::TextTokens& tokens);

  // (entries + 1) x kFeatures.
  std::vector<float> features(std::span<const QueryPart> query) const;

 private:
  // Texts and the entries that they are of.
  struct OfEntries {
    std::vector<std::string> texts;
    std::vector<int64_t> entries;
  };
  static OfEntries flat(std::span<const std::vector<std::string>> texts);
  FaqSearch(const data::Faq& faq, std::span<const std::vector<std::string>> questions, OfEntries flat_questions, models::Retriever& model, const data::TextTokens& tokens);
  Tensor embed(const std::vector<std::string>& texts) const;  // (texts, dimension)
  Tensor embed_query(std::span<const QueryPart> query) const;

  models::Retriever& model_;
  const data::TextTokens& tokens_;
  int64_t entries_;
  LexicalIndex questions_, texts_;
  std::vector<int64_t> question_entries_, passage_entries_;
  Tensor passages_;  // (passages, dimension)
};

// Every question of every entry.
std::vector<std::vector<std::string>> all_questions(const data::Faq& faq);

}  // namespace danlu::infer
