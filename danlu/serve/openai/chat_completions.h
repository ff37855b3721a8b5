// POST /v1/chat/completions: the next message of a conversation.
//
//   {"messages": [{"role": "user", "content": "What is coke?"}], "max_tokens": 64}
//
// The model's chat template makes the prompt. Content is text, or a list of parts of the type "text". Fields of a
// message that the server does not know reach the template.
#pragma once

#include "danlu/infer/chat_template.h"
#include "danlu/serve/http/message.h"
#include "danlu/serve/json_request.h"
#include "danlu/serve/openai/text_model.h"

namespace danlu::serve {

// Throws RequestError.
HttpResponse answer_chat_completions(TextModel& model, const HttpRequest& http, const Fields& fields);

// "messages", their contents as text. Throws RequestError.
std::vector<Json> read_messages(const Fields& fields);

// The text of "messages", with "add_generation_prompt" and "chat_template_kwargs". Throws RequestError.
std::vector<infer::TextSegment> render_messages(const TextModel& model, const Fields& fields);

}  // namespace danlu::serve
