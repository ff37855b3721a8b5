#include "danlu/data/text/byte_alphabet.h"

#include "danlu/base/utf8.h"

namespace danlu::data {
namespace {

constexpr uint32_t kCharacters = 256 + 68;  // 68 bytes are not printable: U+0100 and the following stand for them

struct Alphabet {
  std::array<uint16_t, 256> character{};
  std::array<int16_t, kCharacters> byte{};
  std::array<uint8_t, 256> order{};
};

constexpr bool is_printable(int byte) { return (byte > ' ' && byte < 0x7F) || (byte > 0xA0 && byte != 0xAD); }

constexpr Alphabet make_alphabet() {
  Alphabet alphabet;
  alphabet.byte.fill(-1);
  size_t at = 0;
  uint16_t next = 256;
  for (const bool wanted : {true, false}) {
    for (int byte = 0; byte < 256; ++byte) {
      if (is_printable(byte) != wanted) continue;
      const auto character = wanted ? static_cast<uint16_t>(byte) : next++;
      alphabet.character[static_cast<size_t>(byte)] = character;
      alphabet.byte[character] = static_cast<int16_t>(byte);
      alphabet.order[at++] = static_cast<uint8_t>(byte);
    }
  }
  return alphabet;
}
constexpr Alphabet kAlphabet = make_alphabet();

}  // namespace

std::string to_printable(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char byte : bytes) append_utf8(text, kAlphabet.character[static_cast<unsigned char>(byte)]);
  return text;
}

std::optional<std::string> from_printable(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    uint32_t character = static_cast<unsigned char>(text[i]);
    if (character >= 0x80) {
      // All characters of the alphabet have at most two bytes.
      if ((character & 0xE0) != 0xC0 || ++i == text.size()) return std::nullopt;
      const auto low = static_cast<unsigned char>(text[i]);
      if ((low & 0xC0) != 0x80) return std::nullopt;
      character = (character & 0x1F) << 6 | (low & 0x3Fu);
    }
    if (character >= kCharacters || kAlphabet.byte[character] < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(kAlphabet.byte[character]));
  }
  return bytes;
}

const std::array<uint8_t, 256>& printable_order() { return kAlphabet.order; }

}  // namespace danlu::data
