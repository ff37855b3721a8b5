// For the room's tests: a language model small enough to be made on the spot, whose words mean nothing.
#pragma once

#include <memory>
#include <string>

#include "danlu/data/text/tokenizer_model.h"
#include "danlu/infer/language_model.h"
#include "danlu/infer/testing.h"

namespace danlu::serve {

// Ids 0 to 255 are bytes; then <|endoftext|>, <|im_start|>, <|im_end|>. The same weights each time.
inline constexpr data::TokenId kEndOfText = 256, kImStart = 257, kImEnd = 258;

inline std::shared_ptr<infer::LanguageModel> tiny_language_model(const std::string& chat_template = "",
                                                                 int64_t context = 2048) {
  data::TokenizerModel words;
  for (int byte = 0; byte < 256; ++byte) words.vocab.emplace_back(1, static_cast<char>(byte));
  words.added = {{kEndOfText, "<|endoftext|>"}, {kImStart, "<|im_start|>"}, {kImEnd, "<|im_end|>"}};
  words.eos = kEndOfText;
  words.chat_template = chat_template;
  std::unique_ptr<models::Gpt> network =
      infer::random_gpt({.layers = 1, .heads = 2, .width = 16, .context = context, .vocab_size = 259});
  return std::make_shared<infer::LanguageModel>(infer::LanguageModel{
      "tiny", std::move(network), data::Tokenizer(std::move(words)), {kEndOfText, kImEnd}, Json::object()});
}

}  // namespace danlu::serve
