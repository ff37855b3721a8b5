#include "danlu/data/text/text_edits.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

#include "danlu/base/utf8.h"

namespace danlu::data {
namespace {

constexpr char kEscape = '\x1B';

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lower(char c) { return is_letter(c) ? static_cast<char>(c | 0x20) : c; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool within(char c, char low, char high) { return c >= low && c <= high; }

// The end of the escape sequence that begins at `at`: colours and cursor ("\e[31m"), titles ("\e]0;...\a"), single letters.
size_t end_of_escape(std::string_view text, size_t at) {
  size_t i = at + 1;
  if (i == text.size()) return i;
  if (text[i] == '[') {
    for (++i; i < text.size() && within(text[i], ' ', '?');) ++i;
    return i < text.size() && within(text[i], '@', '~') ? i + 1 : i;
  }
  if (text[i] == ']') {
    // A sequence that never ends would take the text with it: it ends with the line at the latest.
    const size_t end = text.find_first_of("\a\x1B\n", i);
    if (end == std::string_view::npos) return text.size();
    return text[end] == '\a' ? end + 1 : text.substr(end).starts_with("\x1B\\") ? end + 2 : end;
  }
  return within(text[i], '@', '_') ? i + 1 : i;
}

void erase_last_character(std::string& text) {
  if (text.empty() || text.back() == '\n') return;
  while (text.size() > 1 && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80) text.pop_back();
  text.pop_back();
}

// Appends what the entity at the start of `text` ("&...;") stands for; the length of the entity, 0 if it is none.
size_t append_entity(std::string& out, std::string_view text) {
  static constexpr std::pair<std::string_view, uint32_t> kNames[] = {
      {"amp", '&'},        {"lt", '<'},         {"gt", '>'},         {"quot", '"'},       {"apos", '\''},
      {"nbsp", ' '},       {"ndash", 0x2013},   {"mdash", 0x2014},   {"hellip", 0x2026},  {"lsquo", 0x2018},
      {"rsquo", 0x2019},   {"ldquo", 0x201C},   {"rdquo", 0x201D},   {"copy", 0xA9},      {"middot", 0xB7},
      {"bull", 0x2022},    {"times", 0xD7},     {"deg", 0xB0},       {"euro", 0x20AC},    {"laquo", 0xAB},
      {"raquo", 0xBB},     {"eacute", 0xE9},    {"egrave", 0xE8},    {"agrave", 0xE0},    {"ouml", 0xF6},
      {"uuml", 0xFC},      {"auml", 0xE4},      {"szlig", 0xDF},     {"ccedil", 0xE7},    {"ntilde", 0xF1}};
  const size_t end = text.substr(0, 12).find(';');
  if (end == std::string_view::npos || end < 2) return 0;
  std::string_view name = text.substr(1, end - 1);
  if (name[0] == '#') {
    const bool hex = name.size() > 1 && (name[1] == 'x' || name[1] == 'X');
    name.remove_prefix(hex ? 2 : 1);
    uint32_t code = 0;
    const auto [rest, error] = std::from_chars(name.data(), name.data() + name.size(), code, hex ? 16 : 10);
    const bool character = code > 0 && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
    if (error != std::errc() || rest != name.data() + name.size() || !character) return 0;
    append_utf8(out, code == 0xA0 ? ' ' : code);
    return end + 1;
  }
  for (const auto& [known, code] : kNames) {
    if (name != known) continue;
    append_utf8(out, code);
    return end + 1;
  }
  return 0;
}

// Reads the markup of a page and passes it over.
class HtmlReader {
 public:
  explicit HtmlReader(std::string_view text) : text_(text) { out_.reserve(text.size()); }

  std::string read() && {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      const size_t entity = c == '&' ? append_entity(out_, text_.substr(at_)) : 0;
      if (entity > 0) {
        at_ += entity;
      } else if (c != '<' || !pass_markup()) {
        out_.push_back(c);
        ++at_;
      }
    }
    return tidied();
  }

 private:
  // Without white space at the ends of lines and all but one of empty lines side by side: what is left of the layout of the
  // source.
  std::string tidied() const {
    std::string text;
    text.reserve(out_.size());
    for (size_t begin = 0; begin < out_.size();) {
      const size_t end = std::min(out_.find('\n', begin), out_.size());
      std::string_view line = std::string_view(out_).substr(begin, end - begin);
      line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
      if (!line.empty() || (!text.empty() && !text.ends_with("\n\n"))) {
        text.append(line);
        if (end < out_.size()) text.push_back('\n');
      }
      begin = end + 1;
    }
    return text;
  }

  // Passes over the comment, tag, script or style at the "<" here; false if it is none of them.
  bool pass_markup() {
    if (text_.substr(at_).starts_with("<!--")) {
      return pass_to("-->", comment_end_, 3);
    }
    const bool closing = at_ + 1 < text_.size() && text_[at_ + 1] == '/';
    const size_t name_at = at_ + (closing ? 2 : 1);
    size_t name_end = name_at;
    while (name_end < text_.size() && name_end < name_at + 16 && (is_letter(text_[name_end]) || is_digit(text_[name_end]))) {
      ++name_end;
    }
    const bool declaration = name_at < text_.size() && (text_[name_at] == '!' || text_[name_at] == '?');
    if (!declaration && (name_at == text_.size() || !is_letter(text_[name_at]))) return false;
    std::string name(text_.substr(name_at, name_end - name_at));
    std::transform(name.begin(), name.end(), name.begin(), lower);
    if (!closing && name == "script" && pass_to("</script", script_end_, 0)) return true;
    if (!closing && name == "style" && pass_to("</style", style_end_, 0)) return true;
    if (!pass_to(">", tag_end_, 1)) return false;
    if (ends_line(name) && !out_.empty() && out_.back() != '\n') out_.push_back('\n');
    return true;
  }

  // Moves to the next `end`, in letters of any case, and `skip` bytes on. `known` remembers where it is, so that the
  // text is searched once however many openings have no end.
  bool pass_to(std::string_view end, size_t& known, size_t skip) {
    if (known != std::string_view::npos && known <= at_) {
      const auto found = std::search(text_.begin() + static_cast<int64_t>(at_), text_.end(), end.begin(), end.end(),
                                     [](char a, char b) { return lower(a) == b; });
      known = found == text_.end() ? std::string_view::npos : static_cast<size_t>(found - text_.begin());
    }
    if (known == std::string_view::npos) return false;
    at_ = known + skip;
    return true;
  }

  static bool ends_line(const std::string& name) {
    static constexpr std::string_view kNames[] = {"p",  "br", "div", "li", "ul", "ol", "tr", "table",  "title",
                                                  "h1", "h2", "h3",  "h4", "h5", "h6", "dt", "section", "pre"};
    return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
  }

  std::string_view text_;
  std::string out_;
  size_t at_ = 0;
  size_t comment_end_ = 0, tag_end_ = 0, script_end_ = 0, style_end_ = 0;
};

}  // namespace

std::string without_control_characters(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (static_cast<unsigned char>(c) >= ' ' && c != '\x7F' && c != '\xC2' && c != '\xEF') {
      out.push_back(c);
      ++i;
    } else if (c == '\xC2' && within(next, '\x80', '\x9F')) {  // U+0080 to U+009F, of which U+0085 is a line end
      if (next == '\x85') out.push_back('\n');
      i += 2;
    } else if (text.substr(i, 3) == "\xEF\xBB\xBF") {
      i += 3;
    } else if (c == '\xC2' || c == '\xEF' || c == '\t' || c == '\n') {
      out.push_back(c);
      ++i;
    } else if (c == kEscape) {
      i = end_of_escape(text, i);
    } else {
      if (c == '\b') erase_last_character(out);
      if (c == '\f' || c == '\v' || (c == '\r' && next != '\n')) out.push_back('\n');
      ++i;
    }
  }
  return out;
}

std::string without_html(std::string_view text) { return HtmlReader(text).read(); }

std::string without_control_tokens(std::string_view text) {
  constexpr size_t kLongest = 64;
  const auto of_name = [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == ' '; };
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    out.push_back(c);
    if (c != '>' || !out.ends_with("|>")) continue;
    // Looked up in what is left so far, so that removing a token does not make another.
    size_t begin = out.size() - 2;
    while (begin > 0 && out.size() - begin < kLongest && of_name(out[begin - 1])) --begin;
    if (begin >= 2 && begin < out.size() - 2 && out.compare(begin - 2, 2, "<|") == 0) out.resize(begin - 2);
  }
  return out;
}

}  // namespace danlu::data
