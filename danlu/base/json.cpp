#include "danlu/base/json.h"

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu {
namespace {

constexpr int kMaxDepth = 128;

// nlohmann's own words without its preamble: "[json.exception.NAME.ID] parse error at line 1, column 2: reason".
std::string reason_of(const std::exception& error) {
  const std::string_view text = error.what();
  const size_t colon = text.find(": "), bracket = text.find("] ");
  const size_t start = colon != text.npos ? colon : bracket;
  return std::string(start == text.npos ? text : text.substr(start + 2));
}

}  // namespace

Json parse_json(std::string_view text, std::string_view source) {
  try {
    return Json::parse(text.begin(), text.end(), [&](int depth, Json::parse_event_t, Json&) {
      if (depth > kMaxDepth) {
        throw DataError("base.json", fmt::format("{}: got more than {} nested levels", source, kMaxDepth));
      }
      return true;
    });
  } catch (const Json::parse_error& error) {
    const size_t end = std::min(error.byte > 0 ? error.byte - 1 : 0, text.size());
    const std::string_view before = text.substr(0, end);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const size_t start_of_line = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    throw DataError("base.json",
                    fmt::format("{}:{}:{}: not valid JSON: {}", source, line, end - start_of_line + 1, reason_of(error)));
  } catch (const Json::out_of_range& error) {  // a number that no double holds; no position is known
    throw DataError("base.json", fmt::format("{}: not valid JSON: {}", source, reason_of(error)));
  }
}

Json read_json(const fs::path& path, int64_t max_bytes) { return parse_json(read_file(path, max_bytes), path.string()); }

void write_json(const fs::path& path, const Json& value) {
  write_file_atomic(path, value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::string to_line(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace danlu
