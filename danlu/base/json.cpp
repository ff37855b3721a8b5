#include "danlu/base/json.h"

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu {
namespace {

constexpr int kMaxDepth = 128;

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
    std::string reason = error.what();  // "[json.exception.parse_error.101] parse error at line 1, column 2: reason"
    const size_t colon = reason.find(": ");
    if (colon != std::string::npos) reason = reason.substr(colon + 2);
    throw DataError("base.json",
                    fmt::format("{}:{}:{}: not valid JSON: {}", source, line, end - start_of_line + 1, reason));
  }
}

Json read_json(const fs::path& path, int64_t max_bytes) { return parse_json(read_file(path, max_bytes), path.string()); }

void write_json(const fs::path& path, const Json& value) {
  write_file_atomic(path, value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::string to_line(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace danlu
