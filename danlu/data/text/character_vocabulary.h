// A tokeniser whose tokens are the characters of a text: small vocabularies for small models.
//
//   CharacterVocabulary characters;
//   while (source.next(document)) characters.add(document.text);
//   const Tokenizer tokenizer(characters.model({.min_frequency = 2}));
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "danlu/base/options.h"
#include "danlu/data/text/tokenizer_model.h"

namespace danlu::data {

struct CharacterVocabularyOptions {
  int64_t min_frequency = 1;
  std::vector<std::string> special_tokens = {};

  void describe(OptionVisitor& v);
};

class CharacterVocabulary {
 public:
  CharacterVocabulary();

  // Throws DataError unless the text is UTF-8.
  void add(std::string_view text);

  // The characters in order of their code points, then <unk>, which stands for all others, then the special tokens, of which
  // the first is eos. Throws DataError if no character occurs min_frequency times; ConfigError for options out of range.
  TokenizerModel model(const CharacterVocabularyOptions& options = {}) const;

  int64_t characters() const { return characters_; }  // with repetitions

 private:
  std::vector<int64_t> counts_;  // by code point
  int64_t characters_ = 0;
};

}  // namespace danlu::data
