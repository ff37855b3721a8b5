#include "danlu/data/table/source_text.h"

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/utf8.h"

namespace danlu::data {
namespace {

bool starts_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

}  // namespace

std::string read_text(const fs::path& path) { return path.extension() == ".gz" ? read_gzip(path) : read_file(path); }

std::shared_ptr<std::string> check_text(std::string text, const std::string& source, std::string_view where) {
  if (text.find_first_not_of(" \t\r\n", skip_bom(text)) == std::string::npos) {
    throw DataError(where, fmt::format("{}: got an empty file; expected at least one row", source));
  }
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    throw DataError(
        where, fmt::format("{}:1:1: got UTF-16 text; expected UTF-8; convert it: iconv -f UTF-16 -t UTF-8", source));
  }
  if (const size_t offset = text.find('\0'); offset != std::string::npos) {
    throw DataError(where, fmt::format("{}: got a NUL byte; expected text; is this a binary file?",
                                       place_of(text, offset, source)));
  }
  if (const size_t offset = find_invalid_utf8(text); offset != std::string::npos) {
    throw DataError(where, fmt::format("{}: got byte 0x{:02X}, which is not valid UTF-8; expected UTF-8 text; if it is "
                                       "Latin-1, convert it: iconv -f LATIN1 -t UTF-8",
                                       place_of(text, offset, source), static_cast<unsigned char>(text[offset])));
  }
  return std::make_shared<std::string>(std::move(text));
}

size_t skip_bom(std::string_view text) { return text.starts_with("\xEF\xBB\xBF") ? 3 : 0; }

std::string place_of(std::string_view text, size_t offset, const std::string& source) {
  int64_t line = 1;
  size_t start = skip_bom(text);
  for (size_t i = start; i < std::min(offset, text.size()); ++i) {
    const bool lone_return = text[i] == '\r' && (i + 1 >= text.size() || text[i + 1] != '\n');
    if (text[i] == '\n' || lone_return) ++line, start = i + 1;
  }
  const std::string_view before = text.substr(start, std::max(offset, start) - start);
  return fmt::format("{}:{}:{}", source, line, 1 + std::count_if(before.begin(), before.end(), starts_character));
}

std::string shown(std::string_view text) {
  if (text.size() <= 40) return fmt::format("\"{}\"", text);
  size_t cut = 37;
  while (cut > 0 && !starts_character(text[cut])) --cut;
  return fmt::format("\"{}...\"", text.substr(0, cut));
}

}  // namespace danlu::data
