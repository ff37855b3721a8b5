// Cutting of text by a regular expression, by PCRE2.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "danlu/data/text/pre_tokenizer.h"

struct pcre2_real_code_8;
struct pcre2_real_match_context_8;

namespace danlu::data {

class RegexSplitter final : public Splitter {
 public:
  // Throws DataError for a pattern that does not compile, or that Hugging Face's engine would read in another way.
  explicit RegexSplitter(const PreTokenizerStep& step);
  ~RegexSplitter() override;

  // Throws DataError if a match takes more steps than any sensible pattern needs.
  void split(std::string_view text, PieceSink& pieces) const override;

 private:
  struct Match {
    size_t begin = 0, end = 0;
  };
  bool find(std::string_view text, size_t from, Match& match) const;
  template <class Visit>
  void cut(std::string_view text, const Visit& visit) const;

  std::string pattern_;
  bool invert_;
  PreTokenizerStep::Behavior behavior_;
  pcre2_real_code_8* code_ = nullptr;
  pcre2_real_match_context_8* context_ = nullptr;
};

}  // namespace danlu::data
