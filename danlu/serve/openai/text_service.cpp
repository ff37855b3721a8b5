#include "danlu/serve/openai/text_service.h"

#include <utility>

#include "danlu/serve/error.h"
#include "danlu/serve/openai/chat_completions.h"
#include "danlu/serve/openai/completions.h"
#include "danlu/serve/openai/tokenize.h"

namespace danlu::serve {

void TextService::add_model(const std::string& name, std::shared_ptr<infer::LanguageModel> model,
                            const infer::GeneratorOptions& options) {
  auto served = std::make_unique<TextModel>(name, std::move(model), options);
  served->on_first_token = [this, name](double seconds) { first_token_.observe({name}, seconds); };
  models_.emplace(name, std::move(served));
}

std::vector<std::string> TextService::names() const {
  std::vector<std::string> names;
  for (const auto& [name, model] : models_) names.push_back(name);
  return names;
}

TextModel& TextService::find(const HttpRequest& http, std::string name) const {
  if (const auto given = http.query.find("model"); name.empty() && given != http.query.end()) name = given->second;
  if (name.empty() && models_.size() == 1) return *models_.begin()->second;
  const auto found = models_.find(name);
  if (found == models_.end()) refuse_(name);
  return *found->second;
}

HttpHandler TextService::post(Door door) {
  return [this, door](const HttpRequest& http) {
    const Json body = parse_json_request(http);
    const Fields fields(body);
    return door(find(http, fields.string("model").value_or("")), http, fields);
  };
}

HttpResponse TextService::chat(const HttpRequest& http, const Fields& fields) {
  return answer_chat_completions(find(http, fields.string("model").value_or("")), http, fields);
}

void TextService::add_routes(HttpServer& http) {
  http.route("POST", "/v1/completions", post(answer_completions));
  http.route("POST", "/tokenize", post([](TextModel& model, const HttpRequest&, const Fields& fields) {
               return answer_tokenize(model, fields);
             }));
  http.route("POST", "/detokenize", post([](TextModel& model, const HttpRequest&, const Fields& fields) {
               return answer_detokenize(model, fields);
             }));
  http.route("POST", "/apply-template", post([](TextModel& model, const HttpRequest&, const Fields& fields) {
               return answer_apply_template(model, fields);
             }));
  http.route("GET", "/tokenizer_info",
             [this](const HttpRequest& request) { return answer_tokenizer_info(find(request, "")); });
}

Json TextService::describe(const std::string& name) const {
  const TextModel& model = *models_.at(name);
  return {{"id", name},
          {"object", "model"},
          {"created", model.created()},
          {"owned_by", "danlu"},
          {"input", "text"},
          {"max_model_len", model.context()},
          {"vocab_size", model.vocab_size()},
          {"parameters", model.num_parameters()}};
}

void TextService::render_metrics(std::string& text) const {
  if (models_.empty()) return;
  using Statistics = infer::Generator::Statistics;
  const auto render = [&](const char* metric, const char* help, const char* type, int64_t Statistics::*member) {
    std::vector<std::pair<std::string, double>> values;
    for (const auto& [name, model] : models_) {
      values.emplace_back(render_labels({"model"}, {name}),
                          static_cast<double>(model->generator().statistics().*member));
    }
    render_values(text, metric, help, type, values);
  };
  render("danlu_prompt_tokens_total", "Tokens of prompts.", "counter", &Statistics::prompt_tokens);
  render("danlu_cached_tokens_total", "Tokens of prompts taken over from earlier ones.", "counter",
         &Statistics::cached_tokens);
  render("danlu_generated_tokens_total", "Generated tokens.", "counter", &Statistics::generated_tokens);
  render("danlu_guessed_tokens_total", "Tokens of answers that were looked up and checked.", "counter", &Statistics::guessed_tokens);
  render("danlu_confirmed_tokens_total", "Those of them that were right.", "counter", &Statistics::confirmed_tokens);
  render("danlu_sequences_running", "Sequences that the model works at.", "gauge", &Statistics::running);
  render("danlu_sequences_waiting", "Sequences that wait for the model.", "gauge", &Statistics::waiting);
  first_token_.render(text);
}

}  // namespace danlu::serve
