// Pieces of a page. Text that comes from data, recipes or models goes through escaped(), and only so into HTML.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "danlu/base/json.h"

namespace danlu::app {

// For the inside of an element or of a quoted attribute. Line breaks and tabs stay; other control characters show as "?",
// what is not UTF-8 as U+FFFD.
std::string escaped(std::string_view text);

// Numbers for people.
std::string number_text(double value);         // "0.9736", "6.55", "12,340", "3.1e-07"
std::string percent_text(double value);        // 0.9736 -> "97.4 %"
std::string count_text(int64_t value);         // "421,642"
std::string bytes_text(int64_t bytes);         // "17.3 MB"
std::string seconds_text(double seconds);      // "42 µs", "0.42 ms", "1.1 s", "3 min 20 s"
std::string time_text(const std::string& utc);  // "2026-11-23T02:40:00Z" -> "23 November 2026, 02:40 UTC"; anything else as it is
std::string word_text(const Json& value);      // a string as it is, anything else as JSON; null is "-"

// Rows of cells; the cells are HTML.
class HtmlTable {
 public:
  // `columns`: a letter for each, l for words, n for words that stay on a line, and r for numbers; those after the last follow it.
  explicit HtmlTable(std::string_view columns) : columns_(columns) {}
  void head(const std::vector<std::string>& cells) { head_ = row(cells, "th"); }
  void add(const std::vector<std::string>& cells) { rows_ += row(cells, "td"); }
  bool empty() const { return rows_.empty(); }
  std::string str() const;

 private:
  std::string row(const std::vector<std::string>& cells, const char* tag) const;
  std::string columns_, head_, rows_;
};

// "<section><h2>..." around a body, or nothing if there is none.
std::string section(std::string_view title, const std::string& body);
// Figures beside each other, as many as there is room for.
std::string figures(const std::string& body);
// Folded away until it is clicked.
std::string details(std::string_view summary, const std::string& body);

}  // namespace danlu::app
