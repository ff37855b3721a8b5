#include "danlu/infer/chat_template.h"

#include <algorithm>
#include <array>
#include <utility>

#include "danlu/infer/jinja/template.h"

namespace danlu::infer {
namespace {

using jinja::Text;
using jinja::Value;

constexpr std::string_view kChatMl =
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
constexpr std::string_view kChatMlEnd = "<|im_end|>";

// Finds special tokens in a text: the longest of those that begin at the first place where one does.
class SpecialFinder {
 public:
  explicit SpecialFinder(const data::Tokenizer& tokenizer) {
    for (auto& [words, id] : tokenizer.special_tokens()) {
      if (!words.empty()) by_first_byte_[static_cast<unsigned char>(words[0])].emplace_back(words, id);
    }
    for (auto& tokens : by_first_byte_) {
      std::sort(tokens.begin(), tokens.end(),
                [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
    }
  }

  // The token that begins at `at`; null if none does.
  const std::pair<std::string, data::TokenId>* match(std::string_view text, size_t at) const {
    for (const auto& token : by_first_byte_[static_cast<unsigned char>(text[at])]) {
      if (text.substr(at).starts_with(token.first)) return &token;
    }
    return nullptr;
  }

 private:
  std::array<std::vector<std::pair<std::string, data::TokenId>>, 256> by_first_byte_;
};

std::vector<TextSegment> segments_of(const Text& text) {
  std::vector<TextSegment> segments;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = begin + 1;
    while (end < text.size() && text.origin(end) == text.origin(begin)) ++end;
    segments.push_back({text.bytes().substr(begin, end - begin), text.origin(begin) == Text::Origin::user});
    begin = end;
  }
  return segments;
}

}  // namespace

class ChatTemplate::Impl {
 public:
  explicit Impl(const data::Tokenizer& tokenizer)
      : source_(tokenizer.chat_template().empty() ? kChatMl : std::string_view(tokenizer.chat_template())),
        template_(source_, "chat_template") {
    const auto add = [&](const char* name, std::optional<data::TokenId> id) {
      if (id) variables_.emplace_back(name, Text(tokenizer.token_bytes(*id)));
    };
    add("bos_token", tokenizer.bos());
    add("eos_token", tokenizer.eos());
    add("pad_token", tokenizer.pad());
    add("unk_token", tokenizer.unk());
    if (tokenizer.chat_template().empty() && !tokenizer.special_id(kChatMlEnd)) end_of_turn_ = kChatMlEnd;
  }

  Text render(const Conversation& conversation) const {
    auto variables = variables_;
    const auto set = [&](const std::string& name, Value value) {
      std::erase_if(variables, [&](const auto& variable) { return variable.first == name; });
      variables.emplace_back(name, std::move(value));
    };
    set("tools", jinja::None{});
    set("documents", jinja::None{});
    for (const auto& [name, value] : conversation.variables.items()) {
      set(name, Value::from_json(value, Text::Origin::user));
    }
    set("messages", Value::from_json(conversation.messages, Text::Origin::user));
    set("add_generation_prompt", conversation.add_generation_prompt);
    return template_.render(std::move(variables), conversation.now);
  }

  const std::string source_;
  const jinja::Template template_;
  std::string end_of_turn_;

 private:
  std::vector<std::pair<std::string, Value>> variables_;
};

ChatTemplate::ChatTemplate(const data::Tokenizer& tokenizer) : impl_(std::make_unique<const Impl>(tokenizer)) {}
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

std::vector<TextSegment> ChatTemplate::render(const Conversation& conversation) const {
  return segments_of(impl_->render(conversation));
}

const std::string& ChatTemplate::source() const { return impl_->source_; }
const std::string& ChatTemplate::end_of_turn() const { return impl_->end_of_turn_; }

std::vector<data::TokenId> encode(const data::Tokenizer& tokenizer, std::span<const TextSegment> segments) {
  const SpecialFinder specials(tokenizer);
  std::vector<data::TokenId> ids;
  std::string plain;  // between two special tokens, whoever wrote it: merges do not see the origin
  const auto flush = [&] {
    if (!plain.empty()) tokenizer.encode(plain, ids);
    plain.clear();
  };
  for (const TextSegment& segment : segments) {
    if (segment.from_user) {
      plain += segment.text;
      continue;
    }
    for (size_t at = 0; at < segment.text.size();) {
      if (const auto* token = specials.match(segment.text, at)) {
        flush();
        ids.push_back(token->second);
        at += token->first.size();
      } else {
        plain += segment.text[at++];
      }
    }
  }
  flush();
  return ids;
}

}  // namespace danlu::infer
