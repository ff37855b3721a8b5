#include "danlu/serve/openai/chat_completions.h"

#include <utility>

#include "danlu/base/format.h"
#include "danlu/serve/error.h"
#include "danlu/serve/openai/answer.h"
#include "danlu/serve/openai/token_text.h"

namespace danlu::serve {
namespace {

constexpr int64_t kMaxTopLogprobs = 20;
constexpr size_t kMaxMessages = 4096;

// The text of a list of parts, one a line.
std::string join_parts(const Json& parts, const std::string& place) {
  std::string text;
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::string where = fmt::format("{}[{}]", place, i);
    if (!parts[i].is_object()) wrong_type(where, parts[i], "an object such as {\"type\": \"text\", \"text\": \"...\"}");
    const Fields part(parts[i], where);
    const auto type = part.string("type");
    if (type != "text") {
      throw RequestError(400, "unsupported",
                         fmt::format("{} is of the type \"{}\"; the model takes text alone", where, type.value_or("")),
                         where);
    }
    const auto words = part.string("text");
    if (!words) throw RequestError(400, "missing", fmt::format("{}.text is missing", where), where + ".text");
    if (i > 0) text += '\n';
    text += *words;
  }
  return text;
}

Json read_message(const Json& json, const std::string& place) {
  if (!json.is_object()) wrong_type(place, json, "an object with role and content");
  const Fields fields(json, place);
  Json message = json;
  const auto role = fields.string("role");
  if (!role || role->empty())
    throw RequestError(400, "missing", fmt::format("{}.role is missing", place), place + ".role");
  const Json* content = fields.find("content");
  const std::string content_place = place + ".content";
  if (!content) {
    if (role != "assistant") {
      throw RequestError(400, "missing", fmt::format("{} is missing", content_place), content_place);
    }
    message["content"] = fields.find("tool_calls") ? Json(nullptr) : Json("");
  } else if (content->is_array()) {
    message["content"] = join_parts(*content, content_place);
  } else if (!content->is_string()) {
    wrong_type(content_place, *content, "a string or an array of text parts");
  }
  return message;
}

class Chat : public Answer {
 public:
  Chat(TextModel& the_model, const HttpRequest& http, const Fields& request)
      : Answer(the_model, http, with_end_of_turn(read_generation_fields(request, the_model), the_model), "chatcmpl",
               "chat.completion", "chat.completion.chunk") {
    logprobs_ = request.boolean("logprobs").value_or(false);
    top_logprobs_ = request.integer("top_logprobs", 0, kMaxTopLogprobs).value_or(0);
    if (top_logprobs_ > 0 && !logprobs_) bad_value("top_logprobs", "needs \"logprobs\": true");
    const std::vector<infer::TextSegment> prompt = render_messages(model(), request);
    auto requests = make_requests(fields(), {infer::encode(model().tokenizer(), prompt)}, model(), "messages");
    for (infer::GenerationRequest& one : requests) one.logprobs = logprobs_ ? static_cast<int>(top_logprobs_) : -1;
    choices_.resize(requests.size());
    start(std::move(requests));
  }

 private:
  struct Choice {
    std::string text;
    Json logprobs = Json::array();
    infer::FinishReason finish = infer::FinishReason::none;
  };

  static GenerationFields with_end_of_turn(GenerationFields fields, const TextModel& model) {
    const std::string& end = model.chat_template().end_of_turn();
    if (!end.empty()) fields.stop.push_back(end);
    return fields;
  }

  Json logprobs_of(const infer::GenerationEvent& event) {
    Json list = Json::array();
    for (const infer::TokenLogprob& token : event.logprobs) {
      list.push_back(chat_logprob(model().tokenizer(), token, static_cast<size_t>(top_logprobs_)));
    }
    return list;
  }
  Json with_content(Json list) const { return logprobs_ ? Json{{"content", std::move(list)}} : Json(nullptr); }

  void take(size_t index, const infer::GenerationEvent& event) override {
    Choice& choice = choices_[index];
    choice.text += event.text;
    choice.finish = event.finish;
    for (Json& logprob : logprobs_of(event)) choice.logprobs.push_back(std::move(logprob));
  }

  Json choice(size_t index) override {
    Choice& choice = choices_[index];
    return {{"index", index},
            {"message", {{"role", "assistant"}, {"content", std::move(choice.text)}}},
            {"logprobs", with_content(std::move(choice.logprobs))},
            {"finish_reason", finish_reason(choice.finish)}};
  }

  Json first_chunk() override {
    Json choices = Json::array();
    for (size_t i = 0; i < choices_.size(); ++i) {
      choices.push_back({{"index", i},
                         {"delta", {{"role", "assistant"}, {"content", ""}}},
                         {"logprobs", nullptr},
                         {"finish_reason", nullptr}});
    }
    return choices;
  }

  Json chunk(size_t index, const infer::GenerationEvent& event) override {
    const bool ends = event.finish != infer::FinishReason::none;
    if (event.text.empty() && event.logprobs.empty() && !ends) return nullptr;
    Json delta = Json::object();
    if (!event.text.empty()) delta["content"] = event.text;
    return {{"index", index},
            {"delta", std::move(delta)},
            {"logprobs", event.logprobs.empty() ? Json(nullptr) : with_content(logprobs_of(event))},
            {"finish_reason", finish_reason(event.finish)}};
  }

  bool logprobs_ = false;
  int64_t top_logprobs_ = 0;
  std::vector<Choice> choices_;
};

}  // namespace

std::vector<Json> read_messages(const Fields& fields) {
  const Json* messages = fields.array("messages");
  if (!messages) throw RequestError(400, "missing", "messages is missing", "messages");
  if (messages->empty()) throw RequestError(400, "empty", "messages is empty; expected at least one", "messages");
  if (messages->size() > kMaxMessages) {
    bad_value("messages", fmt::format("got {} messages; expected at most {}", messages->size(), kMaxMessages));
  }
  std::vector<Json> read;
  for (size_t i = 0; i < messages->size(); ++i) read.push_back(read_message((*messages)[i], fmt::format("messages[{}]", i)));
  return read;
}

std::vector<infer::TextSegment> render_messages(const TextModel& model, const Fields& fields) {
  infer::Conversation conversation;
  for (Json& message : read_messages(fields)) conversation.messages.push_back(std::move(message));
  conversation.add_generation_prompt = fields.boolean("add_generation_prompt").value_or(true);
  if (const Json* variables = fields.object("chat_template_kwargs")) conversation.variables = *variables;
  try {
    return model.chat_template().render(conversation);
  } catch (const DataError& error) {
    throw RequestError(400, "bad_conversation", error.message(), "messages");
  }
}

HttpResponse answer_chat_completions(TextModel& model, const HttpRequest& http, const Fields& fields) {
  return Answer::send(std::make_shared<Chat>(model, http, fields));
}

}  // namespace danlu::serve
