// From a conversation to the text, and the tokens, that a model was taught to continue.
//
//   ChatTemplate chat(tokenizer);                        // its own template; without one, ChatML
//   std::vector<TextSegment> text = chat.render({.messages = messages});
//   std::vector<TokenId> ids = encode(tokenizer, text);
//
// Special tokens come from the template's words alone. A user who writes "<|im_end|>" has written ten characters:
// however the template cuts and joins the parts, encode() takes what came from the conversation as plain text. For all
// other texts the ids are those of transformers' apply_chat_template.
#pragma once

#include <ctime>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/data/text/tokenizer.h"

namespace danlu::infer {

struct TextSegment {
  std::string text;
  bool from_user = false;  // taken from the conversation, not from the template
};

struct Conversation {
  Json messages = Json::array();         // objects with "role", "content" and what else the template looks at
  bool add_generation_prompt = true;     // end with the beginning of an answer
  Json variables = Json::object();       // more names for the template, such as enable_thinking
  std::time_t now = std::time(nullptr);  // for templates that tell the date
};

class ChatTemplate {
 public:
  // Throws DataError naming line and construct for a template that is not understood (jinja/template.h).
  explicit ChatTemplate(const data::Tokenizer& tokenizer);
  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;
  ~ChatTemplate();

  // Neighbours of the same origin are one segment. Throws DataError for a conversation that the template refuses or
  // cannot take.
  std::vector<TextSegment> render(const Conversation& conversation) const;

  const std::string& source() const;
  // Text that ends an answer where no special token does: ChatML's "<|im_end|>" for a tokeniser without it. Else empty.
  const std::string& end_of_turn() const;

 private:
  class Impl;
  std::unique_ptr<const Impl> impl_;
};

// The ids of a text, the special tokens spelled by segments that are not the user's among them.
std::vector<data::TokenId> encode(const data::Tokenizer& tokenizer, std::span<const TextSegment> segments);

}  // namespace danlu::infer
