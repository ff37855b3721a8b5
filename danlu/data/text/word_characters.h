// Of which characters words are made.
#pragma once

#include <cstdint>

namespace danlu::data {

// A letter, a mark or a number, of any script. Signs and punctuation are none, those of Chinese and Japanese too.
bool is_of_word(uint32_t code);

// In the blocks of ideographs, kana and bopomofo, of which no space divides one word from the next.
constexpr bool is_ideograph_or_kana(uint32_t code) {
  return (code >= 0x2E80 && code <= 0x9FFF) || (code >= 0xF900 && code <= 0xFAFF) || (code >= 0x20000 && code <= 0x3FFFF);
}

constexpr bool is_hangul(uint32_t code) { return code >= 0xAC00 && code <= 0xD7AF; }

}  // namespace danlu::data
