// A table of aligned columns for a terminal or a text file, without colours.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace danlu::eval {

class TextTable {
 public:
  enum class Align : uint8_t { left, right };

  // Columns after the last named alignment follow it.
  explicit TextTable(std::vector<Align> alignment) : alignment_(std::move(alignment)) {}
  void add_row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  // One line a row, two spaces between columns and `indent` before them, no spaces at the end.
  std::string str(int indent = 2) const;

 private:
  std::vector<Align> alignment_;
  std::vector<std::vector<std::string>> rows_;
};

// The columns that UTF-8 text takes on a terminal: 2 for East Asian wide characters and emoji, 0 for combining marks.
// Control characters and invalid bytes count 1, as display_text() shows them.
int64_t display_width(std::string_view text);

// The text with control characters and invalid bytes as "?", so that a name from the data cannot break a line or steer
// a terminal.
std::string display_text(std::string_view text);

}  // namespace danlu::eval
