// Checks of UTF-8.
#pragma once

#include <cstddef>
#include <string_view>

namespace danlu {

// The offset of the first byte that is not part of a valid sequence (overlong forms, surrogates and values above U+10FFFF
// are invalid), or npos if all is well.
size_t find_invalid_utf8(std::string_view text);

inline bool is_utf8(std::string_view text) { return find_invalid_utf8(text) == std::string_view::npos; }

}  // namespace danlu
