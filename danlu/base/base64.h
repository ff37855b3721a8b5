// Base64 (RFC 4648), for binary values inside JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace danlu {

std::string base64_encode(std::string_view bytes);

// Empty if the text is not base64. White space is skipped; padding may be missing.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace danlu
