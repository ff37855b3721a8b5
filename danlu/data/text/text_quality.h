// Whether a text reads like prose: the rules of Gopher that are about words, lines and repetition.
//
// Words are what stands between white space and typographic punctuation; a character of a script that is
// written without spaces (Chinese, Japanese) is a word of its own.
// Source   Rae et al. 2021, arXiv:2112.11446, appendix A.1.
#pragma once

#include <cstdint>
#include <string_view>

#include "danlu/base/options.h"

namespace danlu::data {

struct QualityOptions {
  int64_t min_words = 50;
  int64_t max_words = 100000;
  double min_word_length = 3, max_word_length = 10;  // on average, in characters
  double max_symbols = 0.1;                          // # and ellipses, to a word
  double min_alphabetic = 0.8;                       // of the words
  double max_bullets = 0.9;                          // of the lines
  double max_ellipses = 0.3;                         // of the lines
  double max_duplicate_lines = 0.3;                  // of the bytes

  void describe(OptionVisitor& v);
};

struct TextQuality {
  int64_t words = 0;
  double word_length = 0;  // 0 if most words are characters that are words of their own
  double symbols = 0, alphabetic = 0, bullets = 0, ellipses = 0, duplicate_lines = 0;
};

TextQuality measure_quality(std::string_view text);

// The name of the first option that the text is against; null if it is against none.
const char* failed_rule(const TextQuality& quality, const QualityOptions& options);

}  // namespace danlu::data
