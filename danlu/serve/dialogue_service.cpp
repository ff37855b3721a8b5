#include "danlu/serve/dialogue_service.h"

#include <ctime>
#include <optional>
#include <utility>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/serve/error.h"
#include "danlu/serve/http/event_stream.h"
#include "danlu/serve/openai/chat_completions.h"

namespace danlu::serve {
namespace {

// The answer as one message: a reader sees where it stands without looking at the fields.
std::string message_of(const infer::Answer& answer) {
  if (answer.hand_over) return answer.text;
  const infer::Answer::Source& source = answer.sources.front();
  return fmt::format("{}\n\n[1] {}{}{}", answer.text, source.question, source.url.empty() ? "" : ": ", source.url);
}

}  // namespace

void DialogueService::add_routes(HttpServer& http) {
  http.route("POST", "/v1/dialogue", [this](const HttpRequest& request) { return answer(request); });
}

Json DialogueService::describe(const std::string& name) const {
  const infer::Answerer& model = this->model(name);
  return {{"id", name},
          {"object", "model"},
          {"owned_by", "danlu"},
          {"input", "questions"},
          {"answers", model.faq().size()},
          {"questions", model.faq().num_questions()},
          {"least_confidence", model.decision().least_confidence},
          {"parameters", model.model().num_parameters()}};
}

void DialogueService::render_metrics(std::string& text) {
  if (empty()) return;
  answers_.render(text);
  render_gauge(text, "danlu_conversations", "Conversations that are remembered.", {{"", static_cast<double>(conversations_.size())}});
}

infer::Answer DialogueService::ask(const Named& model, const std::string& message, std::span<const std::string> before, const std::string& place) {
  if (message.size() > infer::Answerer::kLongestQuestion) {
    throw RequestError(413, "too_long", fmt::format("{}: got {} bytes; expected at most {}", place, message.size(), infer::Answerer::kLongestQuestion), place);
  }
  try {
    infer::Answer answer = model.second.answer(message, before);
    answers_.add({model.first, answer.hand_over ? "handed_over" : "answered"});
    return answer;
  } catch (const DataError& error) {
    bad_value(place, error.message());
  }
}

HttpResponse DialogueService::answer(const HttpRequest& http) {
  const Json body = parse_json_request(http);
  const Fields fields(body);
  const Named& model = find(fields.string("model").value_or(""));
  const auto message = fields.string("message");
  if (!message) throw RequestError(400, "missing", "message is missing", "message");
  const auto given = fields.string("conversation");
  std::vector<std::string> before;
  if (given) {
    auto turns = conversations_.turns(*given, model.first);
    if (!turns) {
      throw RequestError(404, "conversation_not_found", fmt::format("there is no such conversation with \"{}\", or no more; begin a new one by leaving it out", model.first), "conversation");
    }
    before = std::move(*turns);
  }
  const infer::Answer answer = ask(model, *message, before, "message");
  // Only now, so that a message that is refused leaves nothing behind.
  const std::string id = given ? *given : conversations_.begin(model.first);
  conversations_.add(id, *message, infer::Answerer::kTurns);
  Json json = {{"model", model.first}, {"conversation", id}};
  json.update(infer::to_json(answer));
  return {.body = to_line(json)};
}

HttpResponse DialogueService::chat(const std::string& name, const HttpRequest& http, const Fields& fields) {
  const Named& model = find(name);
  fields.integer("n", 1, 1);  // there is one answer
  std::vector<std::string> asked;
  size_t place = 0;
  const std::vector<Json> messages = read_messages(fields);
  for (size_t i = 0; i < messages.size(); ++i) {
    if (messages[i].at("role") != "user") continue;
    asked.push_back(messages[i].at("content").get<std::string>());
    place = i;
  }
  if (asked.empty()) bad_value("messages", "got none of the role \"user\"; expected a question");
  const std::string message = std::move(asked.back());
  asked.pop_back();
  // What would have been refused as a question costs as much to lean on.
  std::erase_if(asked, [](const std::string& turn) { return turn.size() > infer::Answerer::kLongestQuestion; });
  const infer::Answer answer = ask(model, message, asked, fmt::format("messages[{}].content", place));

  Json extension = infer::to_json(answer);
  extension.erase("answer");
  const auto envelope = [id = "chatcmpl-" + http.id, created = std::time(nullptr), model_name = model.first](const char* object, Json choice) {
    return Json{{"id", id}, {"object", object}, {"created", created}, {"model", model_name}, {"choices", Json::array({std::move(choice)})}};
  };
  if (!fields.boolean("stream").value_or(false)) {
    Json json = envelope("chat.completion", {{"index", 0}, {"message", {{"role", "assistant"}, {"content", message_of(answer)}}}, {"logprobs", nullptr}, {"finish_reason", "stop"}});
    json["danlu"] = std::move(extension);
    return {.body = to_line(json)};
  }
  return event_stream([envelope, extension = std::move(extension), text = message_of(answer)](EventStream& events) {
    Json last = envelope("chat.completion.chunk", {{"index", 0}, {"delta", Json::object()}, {"logprobs", nullptr}, {"finish_reason", "stop"}});
    last["danlu"] = extension;
    events.send(to_line(envelope("chat.completion.chunk", {{"index", 0}, {"delta", {{"role", "assistant"}, {"content", text}}}, {"logprobs", nullptr}, {"finish_reason", nullptr}}))) &&
        events.send(to_line(last)) && events.send("[DONE]");
  });
}

}  // namespace danlu::serve
