// The language models of a server, and their doors:
//
//   POST /v1/completions, /v1/chat/completions      completions.h, chat_completions.h
//   POST /tokenize, /detokenize, /apply-template    tokenize.h
//   GET  /tokenizer_info
//
// Every request names its model ("model", or ?model=), unless there is one alone.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "danlu/serve/http/server.h"
#include "danlu/serve/json_request.h"
#include "danlu/serve/metrics.h"
#include "danlu/serve/openai/text_model.h"

namespace danlu::serve {

class TextService {
 public:
  // `refuse` throws the RequestError for a name that is none of these models, or for none ("").
  explicit TextService(std::function<void(const std::string& name)> refuse) : refuse_(std::move(refuse)) {}

  // Before add_routes().
  void add_model(const std::string& name, std::shared_ptr<infer::LanguageModel> model,
                 const infer::GeneratorOptions& options);
  // All but that of chats, which models of other kinds answer too. The routes use this object.
  void add_routes(HttpServer& http);
  HttpResponse chat(const HttpRequest& http, const Fields& fields);

  bool contains(const std::string& name) const { return models_.contains(name); }
  std::vector<std::string> names() const;
  // An element of GET /v1/models.
  Json describe(const std::string& name) const;
  void render_metrics(std::string& text) const;

 private:
  using Door = HttpResponse (*)(TextModel& model, const HttpRequest& http, const Fields& fields);
  HttpHandler post(Door door);
  TextModel& find(const HttpRequest& http, std::string name) const;

  const std::function<void(const std::string&)> refuse_;
  std::map<std::string, std::unique_ptr<TextModel>> models_;
  Histogram first_token_{"danlu_time_to_first_token_seconds",
                         "Time from a request's arrival to its first token.",
                         {"model"},
                         {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60}};
};

}  // namespace danlu::serve
