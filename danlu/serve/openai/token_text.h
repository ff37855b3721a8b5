// How tokens are shown to clients: their words, their log-probabilities, their place in the text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/data/text/tokenizer.h"
#include "danlu/infer/logprobs.h"

namespace danlu::serve {

// The text of a token. Bytes that are no whole characters are written as OpenAI writes them: "bytes:\xe4\xb8".
std::string token_text(const data::Tokenizer& tokenizer, data::TokenId id);

// The "logprobs" of completions: four lists, one element for each token.
//
//   tokens          the texts
//   token_logprobs  null for the first token of a prompt, which nothing precedes
//   top_logprobs    objects from text to log-probability: the most probable tokens and the token itself; null as above
//   text_offset     where in the text the token begins, in Unicode characters; a token that begins within a character
//                   has that character's place; special tokens have no text
class CompletionLogprobs {
 public:
  explicit CompletionLogprobs(const data::Tokenizer& tokenizer) : tokenizer_(tokenizer) { clear(); }

  void append(const infer::TokenLogprob& token);
  // The lists since the last call; offsets go on.
  Json take();

 private:
  void clear();

  const data::Tokenizer& tokenizer_;
  int64_t characters_ = 0;  // begun so far
  int missing_ = 0;         // bytes that the last of them still lacks
  Json lists_;
};

// An element of the "logprobs.content" of chats.
Json chat_logprob(const data::Tokenizer& tokenizer, const infer::TokenLogprob& token, size_t top);

}  // namespace danlu::serve
