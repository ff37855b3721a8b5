// JSON values (nlohmann's, keeping the order of keys) and their reading and writing.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "danlu/base/files.h"

namespace danlu {

using Json = nlohmann::ordered_json;

// Parses untrusted text. Throws DataError naming `source`, line and column. Refuses nesting deeper than 128 levels, so
// that hostile text cannot exhaust the stack.
Json parse_json(std::string_view text, std::string_view source);

Json read_json(const fs::path& path, int64_t max_bytes = int64_t{1} << 30);

// Pretty-printed with a final newline, written atomically.
void write_json(const fs::path& path, const Json& value);

// One line; a NaN or an infinity becomes null, invalid UTF-8 is replaced.
std::string to_line(const Json& value);

}  // namespace danlu
