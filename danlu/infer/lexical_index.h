// How much the words of a question are those of a text: BM25, over the most that it could be for that question, so in [0, 1).
//
//   score(q, d) = sum_t w_t idf(t) f (k1 + 1) / (f + k1 (1 - b + b |d| / mean |d|))  /  sum_t w_t idf(t) (k1 + 1)
//
// over the different terms t of q, f the number of times that t is in d. A term that no text has counts below as the rarest: a question
// about other things scores low, however well its remaining words fit. Within one question the order is that of BM25 itself.
// Source    Robertson, Zaragoza 2009, "The probabilistic relevance framework: BM25 and beyond"; idf as in Lucene: ln(1 + (N - n + 1/2) / (n + 1/2)).
// Threads   all const members may be called by any number at once.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "danlu/data/text/search_terms.h"

namespace danlu::infer {

// A part of what is asked, and how much it counts: what was said before counts less.
struct QueryPart {
  std::string_view text;
  double weight = 1;
};

class LexicalIndex {
 public:
  LexicalIndex(std::span<const std::string> texts, data::TermKind kind);
  // Of every text. A term counts as much as in the part where it counts most.
  std::vector<float> scores(std::span<const QueryPart> query) const;

 private:
  struct Posting {
    int64_t text;
    float saturation;  // f (k1 + 1) / (...)
  };
  double idf(size_t texts_with_it) const;

  data::TermKind kind_;
  int64_t num_texts_;
  std::unordered_map<std::string, std::vector<Posting>> postings_;
};

}  // namespace danlu::infer
