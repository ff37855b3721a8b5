// Texts without the space around them.
#pragma once

#include <string_view>

namespace danlu::data {

// A view of the text; empty if there is nothing but space. Space is that of ASCII.
inline std::string_view trimmed(std::string_view text) {
  constexpr const char* kSpace = " \t\r\n\v\f";
  const size_t begin = text.find_first_not_of(kSpace);
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

}  // namespace danlu::data
