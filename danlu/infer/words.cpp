#include "danlu/infer/words.h"

#include "danlu/base/utf8.h"

namespace danlu::infer {
namespace {

// Letters and digits of ASCII, the apostrophe, and the letters of the alphabets that put spaces between words: up to U+2000, which in
// UTF-8 begin with a byte below E2.
bool continues_word(unsigned char byte) {
  const bool ascii = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte == '\'';
  return ascii || (byte >= 0xC3 && byte < 0xE2);
}

// The first byte of the last character.
unsigned char last_character(std::string_view text) {
  size_t at = text.size() - 1;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
  return static_cast<unsigned char>(text[at]);
}

bool belong_together(std::string_view before, std::string_view after) {
  if (before.empty() || after.empty() || incomplete_utf8_tail(before) > 0) return true;
  const auto first = static_cast<unsigned char>(after[0]);
  if ((first & 0xC0) == 0x80) return true;  // within a character
  const unsigned char last = last_character(before);
  if (last == ' ' || last == '\n' || last == '\t') return true;
  return continues_word(last) && continues_word(first);
}

// Neighbours as one, so that there are at most `most`; as valid UTF-8.
std::vector<Phrase> joined(const std::vector<Phrase>& words, size_t most) {
  std::vector<Phrase> phrases;
  const size_t together = most == 0 ? 1 : (words.size() + most - 1) / most;  // words in a phrase
  for (size_t i = 0; i < words.size(); ++i) {
    if (i % together == 0) phrases.emplace_back();
    phrases.back().text += words[i].text;
    phrases.back().bytes += words[i].bytes;
    phrases.back().end = words[i].end;
  }
  for (Phrase& phrase : phrases) phrase.text = replace_invalid_utf8(phrase.text);
  return phrases;
}

}  // namespace

std::vector<Phrase> phrases_of(std::span<const int64_t> ids, const data::Tokenizer& tokenizer, size_t most) {
  std::vector<Phrase> words;
  for (size_t i = 0; i < ids.size(); ++i) {
    const std::string_view bytes = tokenizer.token_bytes(static_cast<data::TokenId>(ids[i] - 1));
    if (words.empty() || !belong_together(words.back().text, bytes)) words.emplace_back();
    words.back().text += bytes;
    words.back().bytes += bytes.size();
    words.back().end = i + 1;
  }
  return joined(words, most);
}

std::vector<Phrase> phrases_of(std::span<const std::string_view> parts, size_t most) {
  std::vector<Phrase> words;
  for (const std::string_view part : parts) words.push_back({std::string(part), words.size() + 1, part.size()});
  return joined(words, most);
}

}  // namespace danlu::infer
