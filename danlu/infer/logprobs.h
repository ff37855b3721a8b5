// What a language model says of a token: its log-probability, and the tokens that it found more probable.
#pragma once

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "danlu/data/text/tokenizer.h"

namespace danlu::infer {

struct TokenLogprob {
  data::TokenId id = 0;
  std::optional<double> logprob;                      // of the model, before temperature; none for the first token of a prompt
  std::vector<std::pair<data::TokenId, double>> top;  // most probable first; the argmax is always there, with the same double
};

// Of token `id` by the logits (V) of the position before it, with the `top` most probable ones (at least 1, at most V).
// Threads: may be called from any number at once.
TokenLogprob token_logprob(std::span<const float> logits, data::TokenId id, int top);

}  // namespace danlu::infer
