// Comma- and tab-separated text (RFC 4180, and what files do besides).
//
// Quotes, doubled quotes and newlines inside quotes; \n, \r\n or \r; a byte order mark; blank lines are skipped. Text
// must be UTF-8. A quote inside an unquoted cell is an ordinary character. The file is read whole and parsed in place.
#pragma once

#include <string>
#include <vector>

#include "danlu/base/files.h"
#include "danlu/base/options.h"
#include "danlu/data/table/table.h"

namespace danlu::data {

struct CsvOptions {
  std::string delimiter = "auto";
  std::string header = "auto";
  std::vector<std::string> names;
  int64_t skip_lines = 0;
  // "nan" and "inf" are not here on purpose: such a cell is more often the trace of a failed computation upstream than
  // a gap, so it is an error until someone says otherwise.
  std::vector<std::string> missing = {"", "NA", "N/A", "?", "null", "NULL"};
  bool quoted_missing = true;
  bool trim = true;

  void describe(OptionVisitor& v) {
    v.field("delimiter", delimiter,
            "auto (comma, tab or semicolon, whichever splits the first lines evenly), tab, or a character");
    v.choice("header", header, {"auto", "yes", "no"},
             "whether the first line names the columns; auto: yes unless it holds a number");
    v.field("names", names,
            "column names, in place of those of the file; default column_1, column_2, ... if it has none");
    v.field("skip_lines", skip_lines, {0, 1e9}, "lines to pass over before the header or the first row");
    v.field("missing", missing, "words that stand for a missing value");
    v.field("quoted_missing", quoted_missing, "whether these words count inside quotes too");
    v.field("trim", trim, "drop spaces around unquoted cells");
  }
};

// Throw DataError as `file:line:column: got ...; expected ...; hint` for a row with too many or too few cells, an
// unterminated quote, text after a closing quote, bytes that are not UTF-8, a file without rows, two columns of one
// name; FileError if the file cannot be read. A .gz file is unpacked.
Table read_csv(const fs::path& path, const CsvOptions& options = {});
Table parse_csv(std::string text, const std::string& source, const CsvOptions& options = {});

// A cell as a file has it: in quotes where it needs them, as in RFC 4180.
std::string csv_cell(const std::string& text);

}  // namespace danlu::data
