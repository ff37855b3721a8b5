#include "danlu/data/table/csv.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/table/source_text.h"
#include "danlu/data/table/values.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.csv";

enum class Stop { delimiter, line_end, text_end };

// Which cells are missing. Most cells are told apart by their first byte.
class MissingWords {
 public:
  MissingWords(const std::vector<std::string>& words, bool inside_quotes)
      : words_(words), inside_quotes_(inside_quotes) {
    for (const std::string& word : words) {
      if (word.empty())
        empty_ = true;
      else
        first_[static_cast<unsigned char>(word[0])] = true;
    }
  }

  Cell operator()(Cell cell, bool quoted) const {
    if (quoted && !inside_quotes_) return cell;
    if (cell.empty()) return empty_ ? Cell{} : cell;
    if (!first_[static_cast<unsigned char>(cell[0])]) return cell;
    return std::find(words_.begin(), words_.end(), cell) == words_.end() ? cell : Cell{};
  }

 private:
  const std::vector<std::string>& words_;
  bool inside_quotes_;
  bool empty_ = false;
  std::array<bool, 256> first_{};
};

// Counts the cells of the first records as one delimiter would cut them, without touching the text.
std::vector<int64_t> count_cells(std::string_view text, char delimiter) {
  constexpr size_t kRecords = 50, kBytes = 1 << 20;
  std::vector<int64_t> counts;
  const size_t end = std::min(text.size(), kBytes);
  int64_t cells = 1;
  bool in_quotes = false, at_start = true, blank = true;
  for (size_t i = 0; i < end && counts.size() < kRecords; ++i) {
    const char c = text[i];
    if (in_quotes) {
      in_quotes = c != '"';  // a doubled quote leaves and enters again
    } else if (c == '"' && (at_start || text[i - 1] == '"')) {
      in_quotes = true, at_start = blank = false;
    } else if (c == '\n' || c == '\r') {
      if (!blank) counts.push_back(cells);
      cells = 1, at_start = blank = true;
    } else {
      cells += c == delimiter;
      at_start = c == delimiter || (at_start && c == ' ');
      blank = false;
    }
  }
  if (!blank && end == text.size() && counts.size() < kRecords) counts.push_back(cells);
  return counts;
}

// The candidate that cuts every line alike into the most cells; failing that, the one that cuts the first line most.
char detect_delimiter(std::string_view text) {
  char best = ',';
  std::pair<bool, int64_t> best_score{false, 1};
  for (const char candidate : {',', '\t', ';'}) {
    const std::vector<int64_t> counts = count_cells(text, candidate);
    if (counts.empty() || counts[0] < 2) continue;
    const bool even = std::all_of(counts.begin(), counts.end(), [&](int64_t n) { return n == counts[0]; });
    if (std::pair(even, counts[0]) > best_score) best_score = {even, counts[0]}, best = candidate;
  }
  return best;
}

char choose_delimiter(const std::string& option, std::string_view text) {
  if (option == "auto") return detect_delimiter(text);
  if (option == "tab" || option == "\\t") return '\t';
  if (option.size() != 1 || option == "\"" || option == "\n" || option == "\r" || (option[0] & 0x80) != 0) {
    throw ConfigError(kWhere,
                      fmt::format("got delimiter {}; expected auto, tab or one ASCII character", shown(option)));
  }
  return option[0];
}

class Parser {
 public:
  Parser(std::shared_ptr<std::string> text, const std::string& source, const CsvOptions& options)
      : text_(std::move(text)), source_(source), options_(options), missing_(options.missing, options.quoted_missing) {
    p_ = text_->data() + skip_bom(*text_);
    end_ = text_->data() + text_->size();  // holds the terminating NUL, which ends every scan
    line_start_ = p_;
    for (int64_t i = 0; i < options.skip_lines && p_ != end_; ++i) skip_line();
    delimiter_ = choose_delimiter(options.delimiter, {p_, static_cast<size_t>(end_ - p_)});
    for (const char c : {delimiter_, '\n', '\r', '\0'}) stops_[static_cast<unsigned char>(c)] = true;
    for (const char c : {' ', '\t'}) blank_[static_cast<unsigned char>(c)] = options.trim && c != delimiter_;
  }

  Table parse() {
    read_first_row();
    const size_t width = columns_.size();
    // A row takes at least a byte a cell, so that many blank lines under a wide header reserve nothing.
    const auto lines = static_cast<size_t>(std::count(p_, end_, '\n'));
    const size_t rows = std::min(lines, static_cast<size_t>(end_ - p_) / width) + 2;
    for (Column& column : columns_) column.cells.reserve(rows);
    lines_.reserve(rows);
    while (skip_blank_lines()) {
      const int64_t line = line_;
      size_t c = 0;
      Stop stop;
      do {
        const Cell cell = next_cell(stop);
        if (c < width) columns_[c].cells.push_back(missing_(cell, quoted_));
        ++c;
      } while (stop == Stop::delimiter);
      if (c != width) ragged(line, c, width);
      lines_.push_back(line);
    }
    if (lines_.empty()) {
      throw DataError(kWhere,
                      fmt::format("{}: got a header and no rows; expected at least one row; if line {} is not a "
                                  "header, set header: no",
                                  source_, header_line_));
    }
    return Table(source_, std::move(columns_), std::move(lines_), std::move(text_));
  }

 private:
  // Reads the first row, decides whether it names the columns, and makes them.
  void read_first_row() {
    if (!skip_blank_lines()) {
      throw DataError(kWhere, fmt::format("{}: got no rows after {} skipped lines; expected at least one", source_,
                                          options_.skip_lines));
    }
    header_line_ = line_;
    std::vector<std::pair<Cell, bool>> cells;
    Stop stop;
    do {
      const Cell cell = next_cell(stop);
      cells.emplace_back(cell, quoted_);
    } while (stop == Stop::delimiter);

    const bool numbers =
        std::any_of(cells.begin(), cells.end(), [](const auto& c) { return parse_number(c.first).has_value(); });
    const bool header = options_.header == "yes" || (options_.header == "auto" && !numbers);
    if (!options_.names.empty() && options_.names.size() != cells.size()) {
      throw DataError(kWhere, fmt::format("{}:{}: got {} columns; expected {}, as many as there are names", source_,
                                          header_line_, cells.size(), options_.names.size()));
    }
    columns_.resize(cells.size());
    for (size_t c = 0; c < cells.size(); ++c) {
      std::string& name = columns_[c].name;
      if (!options_.names.empty())
        name = options_.names[c];
      else if (header)
        name = std::string(cells[c].first);
      if (name.empty()) name = fmt::format("column_{}", c + 1);
    }
    check_names();
    if (!header) {
      for (size_t c = 0; c < cells.size(); ++c) columns_[c].cells.push_back(missing_(cells[c].first, cells[c].second));
      lines_.push_back(header_line_);
    }
  }

  void check_names() const {
    std::unordered_map<std::string_view, size_t> seen;
    for (size_t c = 0; c < columns_.size(); ++c) {
      const auto [it, fresh] = seen.emplace(columns_[c].name, c);
      if (fresh) continue;
      throw DataError(kWhere,
                      fmt::format("{}:{}: got columns {} and {} both named {}; expected distinct names; rename one, or "
                                  "set names; if the line is not a header, set header: no",
                                  source_, header_line_, it->second + 1, c + 1, shown(columns_[c].name)));
    }
  }

  // Moves to the next line that has something on it; false at the end of the text.
  bool skip_blank_lines() {
    for (;;) {
      const char* q = p_;
      while (blank_[static_cast<unsigned char>(*q)]) ++q;
      if (q == end_) return false;
      if (*q != '\n' && *q != '\r') return true;
      p_ += q - p_;
      end_line();
    }
  }

  void skip_line() {
    while (p_ != end_ && *p_ != '\n' && *p_ != '\r') ++p_;
    if (p_ != end_) end_line();
  }

  // Steps over \n, \r\n or \r.
  void end_line() {
    p_ += p_[0] == '\r' && p_[1] == '\n' ? 2 : 1;
    ++line_;
    line_start_ = p_;
  }

  Cell next_cell(Stop& stop) {
    while (blank_[static_cast<unsigned char>(*p_)]) ++p_;
    if (*p_ == '"') return quoted_cell(stop);
    quoted_ = false;
    const char* begin = p_;
    while (!stops_[static_cast<unsigned char>(*p_)]) ++p_;
    const char* end = p_;
    while (end > begin && blank_[static_cast<unsigned char>(end[-1])]) --end;
    stop = take_stop();
    return {begin, static_cast<size_t>(end - begin)};
  }

  Cell quoted_cell(Stop& stop) {
    quoted_ = true;
    const int64_t open_line = line_;
    const char* const open_line_start = line_start_;
    char* const begin = ++p_;
    char* out = begin;
    for (;;) {
      char* const run = p_;
      while (*p_ != '"' && *p_ != '\n' && *p_ != '\r' && *p_ != '\0') ++p_;
      const auto length = static_cast<size_t>(p_ - run);
      if (out != run) std::memmove(out, run, length);
      out += length;
      if (p_ == end_) {
        throw DataError(
            kWhere, fmt::format("{}:{}:{}: got a quote that is never closed; expected a closing quote; a quote inside "
                                "quotes is written twice",
                                source_, open_line, column_of(open_line_start, begin - 1)));
      }
      if (*p_ == '"') {
        if (p_[1] != '"') break;
        *out++ = '"';
        p_ += 2;
      } else {
        char* const newline = p_;
        end_line();
        for (char* q = newline; q != p_; ++q) *out++ = *q;
      }
    }
    // The bytes that unescaping freed become spaces, so that columns counted later in this line stay right.
    std::memset(out, ' ', static_cast<size_t>(p_ - out));
    const Cell cell{begin, static_cast<size_t>(out - begin)};
    ++p_;
    while (blank_[static_cast<unsigned char>(*p_)]) ++p_;
    if (!stops_[static_cast<unsigned char>(*p_)]) {
      throw DataError(
          kWhere, fmt::format("{}:{}:{}: got text after a closing quote; expected {} or the end of the line; a quote "
                              "inside quotes is written twice",
                              source_, line_, column_of(line_start_, p_), delimiter_name()));
    }
    stop = take_stop();
    return cell;
  }

  Stop take_stop() {
    if (*p_ == delimiter_) {
      ++p_;
      return Stop::delimiter;
    }
    if (p_ == end_) return Stop::text_end;
    end_line();
    return Stop::line_end;
  }

  static int64_t column_of(const char* line_start, const char* at) {
    return 1 + std::count_if(line_start, at, [](char c) { return (c & 0xC0) != 0x80; });
  }

  std::string delimiter_name() const { return delimiter_ == '\t' ? "a tab" : fmt::format("\"{}\"", delimiter_); }

  [[noreturn]] void ragged(int64_t line, size_t got, size_t expected) const {
    throw DataError(
        kWhere, fmt::format("{}:{}:1: got {} cells; expected {}, as in line {}; the cells are separated by {}; a cell "
                            "that contains it needs quotes; if line {} is not part of the table, set skip_lines: {}",
                            source_, line, got, expected, header_line_, delimiter_name(), header_line_, header_line_));
  }

  std::shared_ptr<std::string> text_;
  const std::string& source_;
  const CsvOptions& options_;
  MissingWords missing_;
  char delimiter_ = ',';
  std::array<bool, 256> stops_{};  // what ends an unquoted cell
  std::array<bool, 256> blank_{};  // what is trimmed
  char* p_ = nullptr;
  char* end_ = nullptr;
  char* line_start_ = nullptr;
  int64_t line_ = 1;
  int64_t header_line_ = 1;
  bool quoted_ = false;  // whether the last cell was
  std::vector<Column> columns_;
  std::vector<int64_t> lines_;
};

}  // namespace

Table parse_csv(std::string text, const std::string& source, const CsvOptions& options) {
  return Parser(check_text(std::move(text), source, kWhere), source, options).parse();
}

Table read_csv(const fs::path& path, const CsvOptions& options) {
  return parse_csv(read_text(path), path.string(), options);
}

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

}  // namespace danlu::data
