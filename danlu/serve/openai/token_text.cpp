#include "danlu/serve/openai/token_text.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "danlu/base/format.h"
#include "danlu/base/utf8.h"

namespace danlu::serve {
namespace {

// JSON has no infinity; what a client compares or adds up must be a number.
double finite(double logprob) { return std::isfinite(logprob) ? logprob : -9999.0; }

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// How many bytes a character that begins with this one still needs; 0 for a byte that begins none.
int continuation_bytes(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte >= 0xC2 && byte < 0xE0 ? 1 : byte >= 0xE0 && byte < 0xF0 ? 2 : byte >= 0xF0 && byte < 0xF5 ? 3 : 0;
}

}  // namespace

std::string token_text(const data::Tokenizer& tokenizer, data::TokenId id) {
  const std::string_view bytes = tokenizer.token_bytes(id);
  if (is_utf8(bytes)) return std::string(bytes);
  std::string text = "bytes:";
  for (const char byte : bytes) text += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
  return text;
}

void CompletionLogprobs::clear() {
  lists_ = {{"tokens", Json::array()},
            {"token_logprobs", Json::array()},
            {"top_logprobs", Json::array()},
            {"text_offset", Json::array()}};
}

void CompletionLogprobs::append(const infer::TokenLogprob& token) {
  const std::string text = token_text(tokenizer_, token.id);
  Json top;
  if (token.logprob) {
    top = Json::object();
    for (const auto& [id, logprob] : token.top) {
      const std::string other = token_text(tokenizer_, id);
      if (!top.contains(other)) top[other] = finite(logprob);
    }
    if (!top.contains(text)) top[text] = finite(*token.logprob);
  }
  const std::string_view bytes =
      tokenizer_.is_special(token.id) ? std::string_view() : tokenizer_.token_bytes(token.id);
  const bool within = !bytes.empty() && is_continuation(bytes[0]) && missing_ > 0;
  lists_["tokens"].push_back(text);
  lists_["token_logprobs"].push_back(token.logprob ? Json(finite(*token.logprob)) : Json(nullptr));
  lists_["top_logprobs"].push_back(std::move(top));
  lists_["text_offset"].push_back(characters_ - (within ? 1 : 0));
  for (const char byte : bytes) {
    if (is_continuation(byte) && missing_ > 0) {
      --missing_;
    } else {
      ++characters_;
      missing_ = continuation_bytes(byte);
    }
  }
}

Json CompletionLogprobs::take() {
  Json lists = std::move(lists_);
  clear();
  return lists;
}

Json chat_logprob(const data::Tokenizer& tokenizer, const infer::TokenLogprob& token, size_t top) {
  const auto entry = [&](data::TokenId id, double logprob) {
    const std::string_view bytes = tokenizer.token_bytes(id);
    Json numbers = Json::array();
    for (const char byte : bytes) numbers.push_back(static_cast<unsigned char>(byte));
    return Json{{"token", token_text(tokenizer, id)}, {"logprob", finite(logprob)}, {"bytes", std::move(numbers)}};
  };
  Json result = entry(token.id, token.logprob.value_or(0));
  result["top_logprobs"] = Json::array();
  for (size_t i = 0; i < std::min(top, token.top.size()); ++i) {
    result["top_logprobs"].push_back(entry(token.top[i].first, token.top[i].second));
  }
  return result;
}

}  // namespace danlu::serve
