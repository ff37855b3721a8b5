// POST /v1/completions: text that goes on after a prompt, and how probable a text is.
//
//   {"prompt": "The sky is", "max_tokens": 3}
//   {"prompt": [[5, 17, 3]], "max_tokens": 1, "echo": true, "logprobs": 1, "temperature": 0}
//
// A prompt is a string, strings, a list of token ids or lists of them; special tokens that a string spells are plain
// text, unless "parse_special" is set. With "echo" text and logprobs begin with the prompt, which is how evaluation
// programs score it: lists of log-probabilities cover all of its tokens and the generated ones.
#pragma once

#include "danlu/serve/http/message.h"
#include "danlu/serve/json_request.h"
#include "danlu/serve/openai/text_model.h"

namespace danlu::serve {

// Throws RequestError.
HttpResponse answer_completions(TextModel& model, const HttpRequest& http, const Fields& fields);

// Ids from JSON, each within the vocabulary. Throws RequestError.
std::vector<data::TokenId> read_token_ids(const Json& list, const std::string& place, const TextModel& model);

}  // namespace danlu::serve
