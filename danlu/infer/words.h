// The tokens of a text as the words that they spell: a token may be half a word, or half a character.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "danlu/data/text/tokenizer.h"

namespace danlu::infer {

struct Phrase {
  std::string text;  // valid UTF-8
  size_t end = 0;    // of its tokens: those from the end of the one before
  size_t bytes = 0;  // that its tokens stand for
};

// `ids` are those of data::TextPreprocess: the tokeniser's plus one. A word of an alphabet, with the space before it, is one
// phrase; of Chinese, Japanese or Korean a token is one. If there would be more than `most` phrases, as many neighbours are joined as bring
// them below. The text of all phrases is that of all tokens.
std::vector<Phrase> phrases_of(std::span<const int64_t> ids, const data::Tokenizer& tokenizer, size_t most);

// The same of the parts of a text (data::word_parts), which stand for the tokens here.
std::vector<Phrase> phrases_of(std::span<const std::string_view> parts, size_t most);

}  // namespace danlu::infer
