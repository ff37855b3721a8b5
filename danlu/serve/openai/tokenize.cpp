#include "danlu/serve/openai/tokenize.h"

#include <optional>

#include "danlu/data/text/tokenizer_model.h"
#include "danlu/serve/error.h"
#include "danlu/serve/openai/chat_completions.h"
#include "danlu/serve/openai/completions.h"
#include "danlu/serve/openai/token_text.h"

namespace danlu::serve {
namespace {

std::string text_of(const std::vector<infer::TextSegment>& segments) {
  std::string text;
  for (const infer::TextSegment& segment : segments) text += segment.text;
  return text;
}

std::vector<data::TokenId> read_text(const TextModel& model, const Fields& fields) {
  const auto prompt = fields.string("prompt"), content = fields.string("content");
  if (!prompt && !content) {
    if (fields.find("messages")) return infer::encode(model.tokenizer(), render_messages(model, fields));
    throw RequestError(400, "missing", "got no text; expected prompt, content or messages", "prompt");
  }
  const auto asked = fields.boolean(fields.find("add_special_tokens") ? "add_special_tokens" : "add_special");
  const bool parse_special = fields.boolean("parse_special").value_or(false);
  return model.encode(prompt ? *prompt : *content, asked.value_or(prompt.has_value()), parse_special);
}

}  // namespace

HttpResponse answer_tokenize(const TextModel& model, const Fields& fields) {
  const std::vector<data::TokenId> ids = read_text(model, fields);
  Json body{{"tokens", ids}, {"count", ids.size()}, {"max_model_len", model.context()}};
  if (fields.boolean("with_pieces").value_or(false)) {
    body["tokens"] = Json::array();
    for (const auto id : ids) body["tokens"].push_back({{"id", id}, {"piece", token_text(model.tokenizer(), id)}});
  }
  if (fields.boolean("return_token_strs").value_or(false)) {
    body["token_strs"] = Json::array();
    for (const auto id : ids) body["token_strs"].push_back(token_text(model.tokenizer(), id));
  }
  return {.body = to_line(body)};
}

HttpResponse answer_detokenize(const TextModel& model, const Fields& fields) {
  const Json* tokens = fields.array("tokens");
  if (!tokens) throw RequestError(400, "missing", "tokens is missing", "tokens");
  const std::string text =
      model.tokenizer().decode(read_token_ids(*tokens, "tokens", model), data::Tokenizer::Special::keep);
  return {.body = to_line(Json{{"prompt", text}, {"content", text}})};
}

HttpResponse answer_tokenizer_info(const TextModel& model) {
  const data::Tokenizer& tokenizer = model.tokenizer();
  const std::string& given = tokenizer.chat_template();  // shown even if it is not understood
  const auto words = [&](std::optional<data::TokenId> id) {
    return id ? Json(std::string(tokenizer.token_bytes(*id))) : Json(nullptr);
  };
  const Json body{{"model", model.name()},
                  {"tokenizer_class", "PreTrainedTokenizerFast"},
                  {"model_max_length", model.context()},
                  {"vocab_size", tokenizer.vocab_size()},
                  {"add_bos_token", tokenizer.model().add_bos},
                  {"bos_token", words(tokenizer.bos())},
                  {"eos_token", words(tokenizer.eos())},
                  {"pad_token", words(tokenizer.pad())},
                  {"unk_token", words(tokenizer.unk())},
                  {"chat_template", given.empty() ? model.chat_template().source() : given}};
  return {.body = to_line(body)};
}

HttpResponse answer_apply_template(const TextModel& model, const Fields& fields) {
  return {.body = to_line(Json{{"prompt", text_of(render_messages(model, fields))}})};
}

}  // namespace danlu::serve
