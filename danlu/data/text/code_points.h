// The characters of UTF-8 text.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "danlu/base/utf8.h"

namespace danlu::data {

struct CodePoint {
  uint32_t code = 0;
  size_t bytes = 0;
};

// The character that begins at `text`, which must be valid.
inline CodePoint code_point_at(const char* text) {
  const auto byte = [text](int i) { return static_cast<uint32_t>(static_cast<unsigned char>(text[i])); };
  const uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xE0) return {(lead & 0x1F) << 6 | (byte(1) & 0x3F), 2};
  if (lead < 0xF0) return {(lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F), 3};
  return {(lead & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F), 4};
}

// Calls visit(run, is_valid) for the runs of valid UTF-8 and of other bytes that a text consists of, in order.
template <class Visit>
void for_each_utf8_run(std::string_view text, const Visit& visit) {
  while (!text.empty()) {
    const size_t valid = std::min(find_invalid_utf8(text), text.size());
    if (valid > 0) visit(text.substr(0, valid), true);
    text.remove_prefix(valid);
    size_t invalid = 0;
    while (invalid < text.size() && find_invalid_utf8(text.substr(invalid, 4)) == 0) ++invalid;
    if (invalid > 0) visit(text.substr(0, invalid), false);
    text.remove_prefix(invalid);
  }
}

}  // namespace danlu::data
