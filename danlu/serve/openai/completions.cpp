#include "danlu/serve/openai/completions.h"

#include <utility>

#include "danlu/base/format.h"
#include "danlu/serve/error.h"
#include "danlu/serve/openai/answer.h"
#include "danlu/serve/openai/token_text.h"

namespace danlu::serve {
namespace {

constexpr int64_t kMaxLogprobs = 100;

struct Prompts {
  std::vector<std::vector<data::TokenId>> ids;
  std::vector<std::string> texts;
};

Prompts read_prompts(const Fields& fields, const TextModel& model) {
  const Json* prompt = fields.find("prompt");
  if (!prompt) throw RequestError(400, "missing", "prompt is missing", "prompt");
  const bool add_special = fields.boolean("add_special_tokens").value_or(true);
  const bool parse_special = fields.boolean("parse_special").value_or(false);
  Prompts prompts;
  const auto add_text = [&](const std::string& text) {
    std::vector<data::TokenId> ids = model.encode(text, add_special, parse_special);
    // What the first token of a text follows is the end of another one.
    const auto begin = model.tokenizer().bos() ? model.tokenizer().bos() : model.tokenizer().eos();
    if (ids.empty() && begin) ids.push_back(*begin);
    prompts.ids.push_back(std::move(ids));
    prompts.texts.push_back(text);
  };
  const auto add_ids = [&](const Json& list, const std::string& place) {
    prompts.ids.push_back(read_token_ids(list, place, model));
    prompts.texts.push_back(model.tokenizer().decode(prompts.ids.back()));
  };

  if (prompt->is_string()) {
    add_text(*prompt);
    return prompts;
  }
  if (!prompt->is_array()) wrong_type("prompt", *prompt, "a string, strings, token ids or lists of token ids");
  if (prompt->empty()) throw RequestError(400, "empty", "prompt is empty", "prompt");
  if (prompt->front().is_number()) {
    add_ids(*prompt, "prompt");
    return prompts;
  }
  for (size_t i = 0; i < prompt->size(); ++i) {
    const Json& one = (*prompt)[i];
    const std::string place = fmt::format("prompt[{}]", i);
    if (one.is_string()) {
      add_text(one);
    } else if (one.is_array()) {
      add_ids(one, place);
    } else {
      wrong_type(place, one, "a string or a list of token ids");
    }
  }
  return prompts;
}

class Completion : public Answer {
 public:
  Completion(TextModel& the_model, const HttpRequest& http, const Fields& request)
      : Answer(the_model, http, read_generation_fields(request, the_model), "cmpl", "text_completion",
               "text_completion") {
    const Json* logprobs = request.find("logprobs");
    if (logprobs && logprobs->is_boolean()) wrong_type("logprobs", *logprobs, "the number of alternatives");
    num_logprobs_ = request.integer("logprobs", 0, kMaxLogprobs);
    echo_ = request.boolean("echo").value_or(false);
    Prompts prompts = read_prompts(request, model());
    std::vector<infer::GenerationRequest> requests = make_requests(fields(), prompts.ids, model(), "prompt");
    for (size_t i = 0; i < requests.size(); ++i) {
      infer::GenerationRequest& one = requests[i];
      one.max_tokens = fields().max_tokens.value_or(16);
      one.logprobs = static_cast<int>(num_logprobs_.value_or(-1));
      one.prompt_logprobs = echo_ && num_logprobs_;
      choices_.push_back({.logprobs = CompletionLogprobs(model().tokenizer())});
      if (echo_) choices_.back().text = prompts.texts[i / static_cast<size_t>(fields().n)];
    }
    start(std::move(requests));
  }

 private:
  struct Choice {
    std::string text = {};
    CompletionLogprobs logprobs;
    infer::FinishReason finish = infer::FinishReason::none;
  };

  void take(size_t index, const infer::GenerationEvent& event) override {
    Choice& choice = choices_[index];
    choice.text += event.text;
    choice.finish = event.finish;
    for (const infer::TokenLogprob& token : event.logprobs) choice.logprobs.append(token);
  }

  Json choice(size_t index) override {
    Choice& choice = choices_[index];
    return {{"index", index},
            {"text", std::move(choice.text)},
            {"logprobs", num_logprobs_ ? choice.logprobs.take() : Json(nullptr)},
            {"finish_reason", finish_reason(choice.finish)}};
  }

  Json chunk(size_t index, const infer::GenerationEvent& event) override {
    take(index, event);
    const bool has_news =
        !choices_[index].text.empty() || !event.logprobs.empty() || event.finish != infer::FinishReason::none;
    Json piece = has_news ? choice(index) : Json(nullptr);
    if (has_news) choices_[index].text.clear();
    return piece;
  }

  std::optional<int64_t> num_logprobs_;
  bool echo_ = false;
  std::vector<Choice> choices_;
};

}  // namespace

std::vector<data::TokenId> read_token_ids(const Json& list, const std::string& place, const TextModel& model) {
  std::vector<data::TokenId> ids;
  for (size_t i = 0; i < list.size(); ++i) {
    const Json& id = list[i];
    if (!id.is_number_integer()) wrong_type(fmt::format("{}[{}]", place, i), id, "a token id");
    const bool known = id >= 0 && id < model.vocab_size();
    if (!known) {
      bad_value(fmt::format("{}[{}]", place, i),
                fmt::format("got {}; expected a token id, 0 to {}", to_line(id), model.vocab_size() - 1));
    }
    ids.push_back(id.get<data::TokenId>());
  }
  return ids;
}

HttpResponse answer_completions(TextModel& model, const HttpRequest& http, const Fields& fields) {
  return Answer::send(std::make_shared<Completion>(model, http, fields));
}

}  // namespace danlu::serve
