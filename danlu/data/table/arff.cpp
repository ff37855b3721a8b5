#include "danlu/data/table/arff.h"

#include <algorithm>
#include <deque>
#include <unordered_set>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/options.h"
#include "danlu/data/table/source_text.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.arff";

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

// What the text and the unescaped values live in: views into both go to the table.
struct Owner {
  std::shared_ptr<const std::string> text;
  std::deque<std::string> unescaped;
};

// Takes tokens off one line.
class Line {
 public:
  Line(std::string_view text, std::string place, Owner& owner) : rest_(text), place_(std::move(place)), owner_(owner) {
    skip_blanks();
  }

  bool done() const { return rest_.empty() || rest_.front() == '%'; }
  char next() const { return done() ? '\0' : rest_.front(); }

  bool take(char c) {
    if (next() != c) return false;
    rest_.remove_prefix(1);
    skip_blanks();
    return true;
  }

  // A bare word, up to a blank or one of `stops`; a value may hold blanks ("stops" alone end it).
  std::string_view bare(std::string_view stops, bool blanks_end) {
    size_t n = 0;
    while (n < rest_.size() && stops.find(rest_[n]) == std::string_view::npos && !(blanks_end && is_blank(rest_[n])))
      ++n;
    std::string_view word = rest_.substr(0, n);
    rest_.remove_prefix(n);
    while (!word.empty() && is_blank(word.back())) word.remove_suffix(1);
    skip_blanks();
    return word;
  }

  bool at_quote() const { return next() == '\'' || next() == '"'; }

  std::string_view quoted_text() {
    const char quote = rest_.front();
    size_t n = 1;
    bool escaped = false;
    for (; n < rest_.size() && rest_[n] != quote; ++n) {
      if (rest_[n] == '\\' && n + 1 < rest_.size()) escaped = true, ++n;
    }
    if (n >= rest_.size()) fail("got a quote that is never closed; expected a closing quote on the same line");
    std::string_view inside = rest_.substr(1, n - 1);
    rest_.remove_prefix(n + 1);
    skip_blanks();
    return escaped ? unescape(inside) : inside;
  }

  std::string_view word_or_quoted(std::string_view stops, bool blanks_end) {
    return at_quote() ? quoted_text() : bare(stops, blanks_end);
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(kWhere, fmt::format("{}: {}", place_, what));
  }

 private:
  void skip_blanks() {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
  }

  std::string_view unescape(std::string_view text) {
    std::string& out = owner_.unescaped.emplace_back();
    for (size_t i = 0; i < text.size(); ++i) {
      char c = text[i];
      if (c == '\\' && i + 1 < text.size()) {
        c = text[++i];
        c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
      }
      out += c;
    }
    return out;
  }

  std::string_view rest_;
  std::string place_;
  Owner& owner_;
};

class Parser {
 public:
  Parser(std::shared_ptr<const std::string> text, const std::string& source)
      : owner_(std::make_shared<Owner>()), rest_(*text), source_(source) {
    owner_->text = std::move(text);
    rest_.remove_prefix(skip_bom(rest_));
  }

  Table parse() {
    read_header();
    std::string_view text;
    while (next_line(text)) {
      Line line(text, place(), *owner_);
      if (!line.done()) read_row(line);
    }
    if (lines_.empty())
      throw DataError(kWhere, fmt::format("{}: got no rows after @data; expected at least one", source_));
    return Table(source_, std::move(columns_), std::move(lines_), owner_);
  }

 private:
  std::string place() const { return fmt::format("{}:{}", source_, line_number_); }

  bool next_line(std::string_view& line) {
    if (rest_.empty()) return false;
    const size_t end = std::min(rest_.find('\n'), rest_.size());
    line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    ++line_number_;
    return true;
  }

  void read_header() {
    std::string_view text;
    while (next_line(text)) {
      Line line(text, place(), *owner_);
      if (line.done()) continue;
      const std::string_view word = line.bare("", true);
      const std::string keyword = lower(word);
      if (keyword == "@relation") continue;
      if (keyword == "@attribute") {
        read_attribute(line);
      } else if (keyword == "@data") {
        if (columns_.empty()) line.fail("got @data before any @attribute; expected the attributes first");
        return;
      } else {
        line.fail(fmt::format("got {}; expected @relation, @attribute or @data{}", shown(word),
                              did_you_mean(keyword, {"@relation", "@attribute", "@data"})));
      }
    }
    throw DataError(kWhere, fmt::format("{}: got no @data line; expected @attribute lines, @data and rows", source_));
  }

  void read_attribute(Line& line) {
    Column& column = columns_.emplace_back();
    column.name = std::string(line.word_or_quoted("{%", true));
    if (column.name.empty()) line.fail("got @attribute without a name; expected @attribute NAME TYPE");
    if (line.take('{')) {
      read_categories(line, column);
    } else {
      const std::string_view word = line.bare("%", true);
      const std::string type = lower(word);
      if (type == "numeric" || type == "real" || type == "integer")
        column.declared_type = ColumnType::number;
      else if (type == "date")
        column.declared_type = ColumnType::date;
      else if (type != "string") {
        line.fail(
            fmt::format("attribute \"{}\": got type {}; expected numeric, real, integer, string, date or {{a, b, ...}}",
                        column.name, shown(word)));
      }
    }
    if (!names_.insert(column.name).second) {
      line.fail(fmt::format("got a second attribute \"{}\"; expected distinct names", column.name));
    }
    auto& known = known_.emplace_back();
    for (const std::string& category : column.declared_categories) known.insert(category);
    if (known.size() != column.declared_categories.size()) {
      line.fail(fmt::format("attribute \"{}\": got a category twice; expected distinct ones", column.name));
    }
  }

  static void read_categories(Line& line, Column& column) {
    while (!line.take('}')) {
      if (line.next() == '\0')
        line.fail(fmt::format("attribute \"{}\": got no closing }}; expected {{a, b, ...}}", column.name));
      column.declared_categories.emplace_back(line.word_or_quoted(",}", false));
      if (!line.take(',') && line.next() != '}' && line.next() != '\0') {
        line.fail(fmt::format("attribute \"{}\": got text after a category; expected , or }}", column.name));
      }
    }
    if (column.declared_categories.empty()) line.fail(fmt::format("attribute \"{}\": got no categories", column.name));
    column.declared_type = column.declared_categories.size() == 2 ? ColumnType::binary : ColumnType::category;
  }

  void read_row(Line& line) {
    if (line.next() == '{') line.fail("got a sparse row; expected values separated by commas; sparse ARFF is not read");
    const size_t width = columns_.size();
    for (size_t c = 0; c < width; ++c) {
      const bool in_quotes = line.at_quote();
      const std::string_view value = line.word_or_quoted(",%", false);
      if (!in_quotes && value.empty())
        line.fail(fmt::format("column \"{}\": got nothing; expected a value, or ? if missing", columns_[c].name));
      const bool missing = !in_quotes && value == "?";
      if (!missing) check_category(line, c, value);
      columns_[c].cells.push_back(missing ? Cell{} : value);
      const bool comma = line.take(',');
      if (comma != (c + 1 < width) || (!comma && !line.done())) {
        line.fail(fmt::format("got {} than {} values; expected one for each @attribute",
                              comma || !line.done() ? "more" : "fewer", width));
      }
    }
    lines_.push_back(line_number_);
  }

  void check_category(const Line& line, size_t c, std::string_view value) const {
    const Column& column = columns_[c];
    if (column.declared_categories.empty() || known_[c].contains(std::string(value))) return;
    line.fail(fmt::format("column \"{}\": {} is not declared; expected one of {}{}", column.name, shown(value),
                          fmt::join(column.declared_categories, ", "),
                          did_you_mean(value, column.declared_categories)));
  }

  std::shared_ptr<Owner> owner_;
  std::string_view rest_;
  const std::string& source_;
  int64_t line_number_ = 0;
  std::vector<Column> columns_;
  std::unordered_set<std::string> names_;
  std::vector<std::unordered_set<std::string>> known_;  // the categories of each column
  std::vector<int64_t> lines_;
};

}  // namespace

Table parse_arff(std::string text, const std::string& source) {
  return Parser(check_text(std::move(text), source, kWhere), source).parse();
}

Table read_arff(const fs::path& path) { return parse_arff(read_text(path), path.string()); }

}  // namespace danlu::data
