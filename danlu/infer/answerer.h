// A bundle that answers questions from a FAQ, says where the answer stands, and hands over to a person where it is not sure enough.
//
//   Answerer answerer("runs/faq");
//   Answer a = answerer.answer("How do I insert a page break?");
//   Answer b = answerer.answer("and how do I delete it?", {"How do I insert a page break?"});
//
// The confidence is the probability of the entry that fits best, among all entries and "none of them". An answer is given from
// least_confidence on; evaluation says how many of the answers so given were right.
//
// A question may lean on the ones before it. It is read alone, and together with one or more of those, each counting `context` times as
// much as the next one; the reading with the greatest confidence is the one that is answered. Words that no entry has lower the
// confidence of every reading, so that a new subject is not answered from the old one.
//
// The bundle: model.safetensors, config.json ("format": "danlu-faq"), faq.json (data::Faq), preprocess.json (data::TextTokens).
// Threads: all but construction by any number at once.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "danlu/base/files.h"
#include "danlu/base/json.h"
#include "danlu/infer/faq_search.h"

namespace danlu::infer {

// From features to answers: a part of config.json.
struct AnswerDecision {
  std::vector<double> weights = std::vector<double>(FaqSearch::kFeatures, 0.0);  // of the features
  double least_confidence = 0;
  double context = 0.5;  // how much what was said before counts; 0: not at all
  Json to_json() const;
  // Throws DataError naming `source`.
  static AnswerDecision from_json(const Json& json, const std::string& source);
};

struct Answer {
  std::string text;  // of the entry, or what is said where a person takes over
  bool hand_over = false;
  double confidence = 0;
  struct Source {
    std::string id, question, url;
    double confidence = 0;
  };
  std::vector<Source> sources;  // the best first; the first is what was answered, or what a person may look at first
  std::string notice = {};      // what the bundle says beside every answer; may be empty
};

class Answerer {
 public:
  static constexpr size_t kLongestQuestion = 4000;  // bytes
  static constexpr size_t kTurns = 3;               // before a question, that it may lean on
  static constexpr size_t kSources = 3;

  // Opens a bundle, or that of a run directory. Throws FileError, or DataError naming the file.
  explicit Answerer(const fs::path& directory);

  const std::string& name() const { return name_; }
  const data::Faq& faq() const { return faq_; }
  const Json& config() const { return config_; }
  const AnswerDecision& decision() const { return decision_; }
  models::Retriever& model() const { return *model_; }
  const data::TextTokens& tokens() const { return *tokens_; }

  // `before`: what the same person asked earlier, the latest last; the last kTurns of them are read. Throws DataError for a question of nothing
  // but space, and for a question or one of those before it that is no UTF-8 or longer than kLongestQuestion.
  Answer answer(std::string_view question, std::span<const std::string> before = {}) const;

 private:
  std::string name_, hand_over_, notice_;
  Json config_ = Json::object();
  data::Faq faq_;
  AnswerDecision decision_;
  std::unique_ptr<data::TextTokens> tokens_;
  std::unique_ptr<models::Retriever> model_;  // in evaluation mode
  std::unique_ptr<FaqSearch> search_;
};

// {"answer", "hand_over", "confidence", "sources": [{"id", "question", "url", "confidence"}]}, and "notice" where there is one.
Json to_json(const Answer& answer);

// Does the directory, or the bundle/ in it, answer from a FAQ? Reads config.json alone.
bool is_answerer(const fs::path& directory);

// config.json is written last. Throws FileError if a file cannot be written.
struct AnswererBundle {
  std::string name;
  std::string notice;
  std::string hand_over;  // what is said where a person takes over
  Json model;             // resolved
  AnswerDecision decision;
  Json training = Json::object();
};
void write_answerer(const fs::path& directory, const AnswererBundle& config, const models::Retriever& model, const data::Faq& faq, const data::TextTokens& tokens);

}  // namespace danlu::infer
