#include "danlu/learn/tune/journal.h"

#include "danlu/base/format.h"

namespace danlu::tune {

Journal::Journal(const fs::path& path) : events_(read(path)), file_(path) {}

std::vector<Json> Journal::read(const fs::path& path) {
  std::vector<Json> events;
  if (!fs::exists(path)) return events;
  const std::string text = read_file(path);
  const size_t whole = text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1;
  for (size_t begin = 0, line = 1; begin < whole; ++line) {
    const size_t end = text.find('\n', begin);
    events.push_back(parse_json(std::string_view(text).substr(begin, end - begin), fmt::format("{} line {}", path.string(), line)));
    begin = end + 1;
  }
  if (whole < text.size()) write_file_atomic(path, std::string_view(text).substr(0, whole));
  return events;
}

void Journal::append(const Json& event) {
  file_.append(to_line(event));
  file_.sync();
}

}  // namespace danlu::tune
