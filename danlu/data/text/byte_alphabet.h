// The printable disguise of bytes in the files of byte-level tokenisers, which GPT-2 made up: a space is written Ġ.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace danlu::data {

std::string to_printable(std::string_view bytes);

// Empty if the text has a character that stands for no byte.
std::optional<std::string> from_printable(std::string_view text);

// The bytes in the order of their characters, which is that of the ids of GPT-2.
const std::array<uint8_t, 256>& printable_order();

}  // namespace danlu::data
