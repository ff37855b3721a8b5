// UTF-8: checks and characters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace danlu {

// The offset of the first byte that is not part of a valid sequence (overlong forms, surrogates and values above U+10FFFF
// are invalid), or npos if all is well.
size_t find_invalid_utf8(std::string_view text);

inline bool is_utf8(std::string_view text) { return find_invalid_utf8(text) == std::string_view::npos; }

// The number of bytes at the end, 0 to 3, that begin a character whose other bytes are yet to come.
size_t incomplete_utf8_tail(std::string_view text);

// U+FFFD in the place of each maximal part of a character that is not valid (Unicode 3.9, as Python's errors="replace" does).
std::string replace_invalid_utf8(std::string_view text);

// code <= U+10FFFF, and no surrogate.
void append_utf8(std::string& text, uint32_t code);

}  // namespace danlu
