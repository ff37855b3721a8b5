// What clients ask of a tokeniser, with the keys of vLLM and of llama.cpp.
#pragma once

#include "danlu/serve/http/message.h"
#include "danlu/serve/json_request.h"
#include "danlu/serve/openai/text_model.h"

namespace danlu::serve {

// {"prompt" | "content" | "messages"} to {"tokens": [...], "count", "max_model_len"}. "add_special_tokens" or
// "add_special": begin as prompts begin (vLLM's default is true, llama.cpp's false: each key's text has its own).
// "parse_special": take special tokens that the text spells as such. "return_token_strs": their texts too;
// "with_pieces": in place of bare ids.
HttpResponse answer_tokenize(const TextModel& model, const Fields& fields);
// {"tokens": [...]} to {"prompt": "...", "content": "..."}, special tokens with their words.
HttpResponse answer_detokenize(const TextModel& model, const Fields& fields);
// The special tokens and the chat template.
HttpResponse answer_tokenizer_info(const TextModel& model);
// {"messages"} to {"prompt": "..."}.
HttpResponse answer_apply_template(const TextModel& model, const Fields& fields);

}  // namespace danlu::serve
