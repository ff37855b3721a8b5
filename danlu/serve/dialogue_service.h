// The FAQs of a server, and their doors:
//
//   POST /v1/dialogue   {"model": "faq", "message": "How do I insert a page break?"}
//   ->                  {"model": "faq", "conversation": "4f1c...", "answer": "...", "hand_over": false, "confidence": 0.93,
//                        "sources": [{"id": "12", "question": "Inserting and Deleting Page Breaks", "url": "...", "confidence": 0.93}, ...]}
//                       {"conversation": "4f1c...", "message": "and how do I delete it?"}
//
// "conversation" of an answer, sent with the next message, lets that one lean on what was asked before; the server remembers a few
// turns for a while (conversations.h). Where nothing is sure enough "hand_over" is true, the answer says so, and the sources are what a
// person may look at first.
//
//   POST /v1/chat/completions   as OpenAI's clients ask: the messages of the request are the conversation, and nothing is remembered;
//                               earlier ones that are longer than a question may be are passed over
#pragma once

#include <functional>
#include <span>
#include <string>

#include "danlu/infer/answerer.h"
#include "danlu/serve/conversations.h"
#include "danlu/serve/http/server.h"
#include "danlu/serve/json_request.h"
#include "danlu/serve/metrics.h"
#include "danlu/serve/named_models.h"

namespace danlu::serve {

class DialogueService : public NamedModels<infer::Answerer> {
 public:
  DialogueService(const ConversationOptions& options, std::function<void(const std::string& name)> refuse) : NamedModels(std::move(refuse)), conversations_(options) {}

  // The routes use this object.
  void add_routes(HttpServer& http);
  // The answer to a chat with the model of that name; "" if it is the only one.
  HttpResponse chat(const std::string& name, const HttpRequest& http, const Fields& fields);
  // An element of GET /v1/models.
  Json describe(const std::string& name) const;
  void render_metrics(std::string& text);

 private:
  HttpResponse answer(const HttpRequest& http);
  infer::Answer ask(const Named& model, const std::string& message, std::span<const std::string> before, const std::string& place);

  Conversations conversations_;
  Counter answers_{"danlu_dialogue_answers_total", "Messages to FAQs, by what became of them.", {"model", "outcome"}};
};

}  // namespace danlu::serve
