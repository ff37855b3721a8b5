#include "danlu/base/utf8.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace danlu {
namespace {

// Bytes of a character by its first one; 0 if none begins so.
size_t character_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

// How many bytes from the front belong to the character that the first one begins; 0 if it begins none.
size_t valid_part(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const size_t length = character_length(lead);
  size_t valid = length == 0 ? 0 : 1;
  while (valid > 0 && valid < length && valid < text.size()) {
    // Bounds of the second byte exclude overlong forms, surrogates and values above U+10FFFF (Unicode table 3-7).
    unsigned char low = 0x80, high = 0xBF;
    if (valid == 1 && lead == 0xE0) low = 0xA0;
    if (valid == 1 && lead == 0xED) high = 0x9F;
    if (valid == 1 && lead == 0xF0) low = 0x90;
    if (valid == 1 && lead == 0xF4) high = 0x8F;
    if (byte(valid) < low || byte(valid) > high) break;
    ++valid;
  }
  return valid;
}

}  // namespace

size_t find_invalid_utf8(std::string_view text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  const size_t n = text.size();
  size_t i = 0;
  while (i < n) {
    // Eight ASCII bytes at a time.
    uint64_t word;
    if (i + sizeof word <= n) {
      std::memcpy(&word, bytes + i, sizeof word);
      if ((word & 0x8080808080808080u) == 0) {
        i += sizeof word;
        continue;
      }
    }
    const unsigned char lead = bytes[i];
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const size_t length = character_length(lead);
    if (length == 0 || valid_part(text.substr(i)) < length) return i;
    i += length;
  }
  return std::string_view::npos;
}

size_t incomplete_utf8_tail(std::string_view text) {
  for (size_t tail = 1; tail <= 3 && tail <= text.size(); ++tail) {
    const std::string_view end = text.substr(text.size() - tail);
    if (character_length(static_cast<unsigned char>(end[0])) > tail && valid_part(end) == tail) return tail;
  }
  return 0;
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string valid;
  for (;;) {
    const size_t invalid = find_invalid_utf8(text);
    valid += text.substr(0, invalid);
    if (invalid == std::string_view::npos) return valid;
    valid += "\xEF\xBF\xBD";
    text.remove_prefix(invalid);
    text.remove_prefix(std::max<size_t>(valid_part(text), 1));
  }
}

void append_utf8(std::string& text, uint32_t code) {
  const auto put = [&](uint32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return put(code);
  const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  put((more == 1 ? 0xC0 : more == 2 ? 0xE0 : 0xF0) | code >> (6 * more));
  for (int i = more - 1; i >= 0; --i) put(0x80 | (code >> (6 * i) & 0x3F));
}

}  // namespace danlu
