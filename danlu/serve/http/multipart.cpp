#include "danlu/serve/http/multipart.h"

#include <algorithm>
#include <cctype>

namespace danlu::serve {
namespace {

constexpr size_t kMaxParts = 1024;
constexpr size_t kMaxBoundary = 70;  // RFC 2046, 5.1.1

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The text before `mark`, which is removed from `rest` together with the mark. Empty optional if the mark is not there.
std::optional<std::string_view> take_until(std::string_view& rest, std::string_view mark) {
  const size_t at = rest.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view before = rest.substr(0, at);
  rest.remove_prefix(at + mark.size());
  return before;
}

// Takes the value of a parameter: a word, or a quoted text with backslash escapes.
std::string take_value(std::string_view& rest) {
  std::string value;
  if (rest.empty() || rest.front() != '"') {
    const size_t end = std::min(rest.find(';'), rest.size());
    value = trim(rest.substr(0, end));
    rest.remove_prefix(end);
    return value;
  }
  size_t i = 1;
  for (; i < rest.size() && rest[i] != '"'; ++i) {
    // Browsers percent-encode the quote, so that only \" and \\ are escapes; a lone backslash is part of a Windows
    // path.
    if (rest[i] == '\\' && i + 1 < rest.size() && (rest[i + 1] == '"' || rest[i + 1] == '\\')) ++i;
    value += rest[i];
  }
  rest.remove_prefix(std::min(i + 1, rest.size()));
  return value;
}

// The parameter `name` of a header such as `form-data; name="image"; filename="shoe.png"`.
std::string parameter(std::string_view header, std::string_view name) {
  if (!take_until(header, ";")) return "";
  while (!header.empty()) {
    header = trim(header);
    const size_t equals = header.find('=');
    if (equals == std::string_view::npos) return "";
    const std::string_view key = trim(header.substr(0, equals));
    header.remove_prefix(equals + 1);
    const std::string value = take_value(header);
    if (equal_ignoring_case(key, name)) return value;
    if (!take_until(header, ";")) return "";
  }
  return "";
}

// Fills name and filename from the header lines of a part.
void read_part_header(std::string_view header, FormPart& part) {
  while (!header.empty()) {
    std::string_view line = header;
    if (auto head = take_until(header, "\r\n")) {
      line = *head;
    } else {
      header = {};
    }
    const auto key = take_until(line, ":");
    if (!key || !equal_ignoring_case(trim(*key), "Content-Disposition")) continue;
    part.name = parameter(line, "name");
    part.filename = parameter(line, "filename");
  }
}

}  // namespace

std::optional<std::vector<FormPart>> parse_multipart(std::string_view content_type, std::string_view body) {
  const std::string boundary = parameter(content_type, "boundary");
  if (boundary.empty() || boundary.size() > kMaxBoundary) return std::nullopt;
  const std::string delimiter = "\r\n--" + boundary;

  // The first delimiter may stand at the very beginning, without its line break.
  std::string_view rest = body;
  if (rest.starts_with(std::string_view(delimiter).substr(2))) {
    rest.remove_prefix(delimiter.size() - 2);
  } else if (!take_until(rest, delimiter)) {
    return std::nullopt;
  }

  std::vector<FormPart> parts;
  while (!rest.starts_with("--")) {
    if (!take_until(rest, "\r\n") || parts.size() == kMaxParts) return std::nullopt;
    FormPart part;
    if (rest.starts_with("\r\n")) {
      rest.remove_prefix(2);  // no header lines
    } else {
      const auto header = take_until(rest, "\r\n\r\n");
      if (!header) return std::nullopt;
      read_part_header(*header, part);
    }
    // An empty part has the delimiter's line break as the end of its header.
    if (rest.starts_with(std::string_view(delimiter).substr(2))) {
      rest.remove_prefix(delimiter.size() - 2);
    } else {
      const auto content = take_until(rest, delimiter);
      if (!content) return std::nullopt;
      part.content = *content;
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace danlu::serve
