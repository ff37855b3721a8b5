#include "danlu/infer/jinja/text.h"

#include <algorithm>
#include <array>
#include <utility>

namespace danlu::infer::jinja {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// The bytes of the character at the start of a text that is not empty.
size_t character_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t length = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  for (size_t i = 1; i < length; ++i) {
    if (i >= text.size() || !is_continuation(text[i])) return 1;
  }
  return length;
}

std::optional<Text> map_case(const Text& text, char first, char last, int shift) {
  std::string bytes = text.bytes();
  for (char& c : bytes) {
    if (static_cast<unsigned char>(c) >= 0x80) return std::nullopt;
    if (c >= first && c <= last) c = static_cast<char>(c + shift);
  }
  return text.with_bytes(std::move(bytes));
}

size_t strip_end(const std::string& text, size_t begin, const auto& is_stripped) {
  size_t end = text.size();
  while (end > begin) {
    size_t start = end - 1;
    while (start > begin && end - start < 4 && is_continuation(text[start])) --start;
    if (character_length(std::string_view(text).substr(start)) != end - start) start = end - 1;
    if (!is_stripped(std::string_view(text).substr(start, end - start))) break;
    end = start;
  }
  return end;
}

}  // namespace

Text& Text::operator+=(const Text& other) {
  bytes_ += other.bytes_;
  origins_ += other.origins_;
  return *this;
}

Text Text::substr(size_t begin, size_t end) const {
  Text part;
  begin = std::min(begin, size());
  end = std::clamp(end, begin, size());
  part.bytes_ = bytes_.substr(begin, end - begin);
  part.origins_ = origins_.substr(begin, end - begin);
  return part;
}

Text Text::with_bytes(std::string bytes) const {
  Text other = *this;
  other.bytes_ = std::move(bytes);
  return other;
}

std::vector<size_t> character_starts(std::string_view text) {
  std::vector<size_t> starts;
  for (size_t i = 0; i < text.size(); i += character_length(text.substr(i))) starts.push_back(i);
  starts.push_back(text.size());
  return starts;
}

// str.isspace() of Python: the classes Zs and those of bidirectional type WS, B or S.
size_t whitespace_length(std::string_view text) {
  if (text.empty()) return 0;
  const char c = text[0];
  if (c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1C && c <= 0x1F)) return 1;
  static constexpr std::array<std::string_view, 19> kWide = {
      "\u0085", "\u00A0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006",
      "\u2007", "\u2008", "\u2009", "\u200A", "\u2028", "\u2029", "\u202F", "\u205F", "\u3000"};
  for (const std::string_view space : kWide) {
    if (text.starts_with(space)) return space.size();
  }
  return 0;
}

Text strip(const Text& text, Side side, const std::optional<std::string>& characters) {
  std::vector<std::string_view> set;
  if (characters) {
    const std::vector<size_t> starts = character_starts(*characters);
    for (size_t i = 0; i + 1 < starts.size(); ++i) {
      set.push_back(std::string_view(*characters).substr(starts[i], starts[i + 1] - starts[i]));
    }
  }
  const auto is_stripped = [&](std::string_view character) {
    return characters ? std::find(set.begin(), set.end(), character) != set.end()
                      : whitespace_length(character) == character.size();
  };
  const std::string& bytes = text.bytes();
  size_t begin = 0, end = bytes.size();
  if (side != Side::right) {
    while (begin < end) {
      const std::string_view rest = std::string_view(bytes).substr(begin);
      const size_t length = character_length(rest);
      if (!is_stripped(rest.substr(0, length))) break;
      begin += length;
    }
  }
  if (side != Side::left) end = strip_end(bytes, begin, is_stripped);
  return text.substr(begin, end);
}

std::vector<Text> split(const Text& text, const std::optional<std::string>& separator, int64_t limit) {
  const std::string& bytes = text.bytes();
  std::vector<Text> parts;
  size_t begin = 0;
  if (separator) {
    for (; limit != 0; --limit) {
      const size_t found = bytes.find(*separator, begin);
      if (found == std::string::npos) break;
      parts.push_back(text.substr(begin, found));
      begin = found + separator->size();
    }
    parts.push_back(text.substr(begin));
    return parts;
  }
  const auto space_at = [&](size_t i) { return whitespace_length(std::string_view(bytes).substr(i)); };
  for (;; --limit) {
    while (begin < bytes.size() && space_at(begin) > 0) begin += space_at(begin);
    if (begin == bytes.size()) return parts;
    if (limit == 0) break;
    size_t end = begin;
    while (end < bytes.size() && space_at(end) == 0) ++end;
    parts.push_back(text.substr(begin, end));
    begin = end;
  }
  parts.push_back(text.substr(begin));
  return parts;
}

std::vector<Text> rsplit(const Text& text, const std::string& separator, int64_t limit) {
  std::vector<Text> parts;
  size_t end = text.size();
  for (; limit != 0; --limit) {
    const size_t found =
        end < separator.size() ? std::string::npos : text.bytes().rfind(separator, end - separator.size());
    if (found == std::string::npos) break;
    parts.push_back(text.substr(found + separator.size(), end));
    end = found;
  }
  parts.push_back(text.substr(0, end));
  std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<Text> splitlines(const Text& text) {
  static constexpr std::array<std::string_view, 11> kBreaks = {"\r\n", "\n",   "\r",     "\v",     "\f",    "\x1C",
                                                               "\x1D", "\x1E", "\u0085", "\u2028", "\u2029"};
  std::vector<Text> lines;
  const std::string_view bytes = text.bytes();
  size_t begin = 0;
  for (size_t i = 0; i < bytes.size();) {
    const auto found = std::find_if(kBreaks.begin(), kBreaks.end(), [&](std::string_view line_break) {
      return bytes.substr(i).starts_with(line_break);
    });
    if (found == kBreaks.end()) {
      ++i;
      continue;
    }
    lines.push_back(text.substr(begin, i));
    begin = i += found->size();
  }
  if (begin < bytes.size()) lines.push_back(text.substr(begin));
  return lines;
}

Text replace(const Text& text, const std::string& from, const Text& to, int64_t limit) {
  Text result;
  size_t begin = 0;
  if (from.empty()) {  // before every character and at the end
    const std::vector<size_t> starts = character_starts(text.bytes());
    for (size_t i = 0; i < starts.size() && limit != 0; ++i, --limit) {
      result += text.substr(begin, starts[i]);
      result += to;
      begin = starts[i];
    }
  } else {
    for (; limit != 0; --limit) {
      const size_t found = text.bytes().find(from, begin);
      if (found == std::string::npos) break;
      result += text.substr(begin, found);
      result += to;
      begin = found + from.size();
    }
  }
  result += text.substr(begin);
  return result;
}

std::optional<Text> upper(const Text& text) { return map_case(text, 'a', 'z', 'A' - 'a'); }
std::optional<Text> lower(const Text& text) { return map_case(text, 'A', 'Z', 'a' - 'A'); }

Text::Origin origin_of(const Text& text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.origin(i) == Text::Origin::user) return Text::Origin::user;
  }
  return Text::Origin::program;
}

}  // namespace danlu::infer::jinja
