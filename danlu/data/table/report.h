// The data quality report: what is in each column, what looks wrong, and a verdict.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/base/options.h"
#include "danlu/data/table/schema.h"
#include "danlu/data/table/table.h"

namespace danlu::data {

// A share above its limit is a failure. Below it there may be a warning: from a fifth of the limit on for missing
// cells, from the first on for duplicates and faults.
struct ReportOptions {
  double max_missing = 1;
  double max_duplicates = 0.5;
  double max_leak = 0.99;
  double max_bad_cells = 0;
  double max_encoding_faults = 0.01;
  int64_t min_class_rows = 2;

  void describe(OptionVisitor& v) {
    v.field("max_missing", max_missing, {0, 1}, "share of a column's cells that may be missing");
    v.field("max_duplicates", max_duplicates, {0, 1}, "share of rows that may equal an earlier row");
    v.field("max_leak", max_leak, {0, 1}, "how far one column alone may tell the target; 1 is wholly");
    v.field("max_bad_cells", max_bad_cells, {0, 1},
            "share of a number or date column's cells that may be something else");
    v.field("max_encoding_faults", max_encoding_faults, {0, 1}, "share of a column's cells with broken characters");
    v.field("min_class_rows", min_class_rows, {1, 1e9}, "rows that every class of the target needs");
  }
};

enum class Severity { note, warning, failure };

struct Finding {
  Severity severity = Severity::note;
  std::string check;   // missing, constant, id, leak, duplicates, classes, bad_cells, encoding, conflicts
  std::string column;  // empty for the whole table
  std::string text;
};

struct ColumnReport {
  ColumnSchema schema;
  int64_t missing = 0;
  int64_t distinct = 0;
  int64_t bad_cells = 0;
  int64_t encoding_faults = 0;
  std::optional<double> leak;  // of features, where there is a target
  // Numbers (dates in days): minimum, lower quartile, median, upper quartile, maximum; words: the same of their lengths
  // in characters. Empty if no cell is present.
  std::vector<double> quartiles;
  // The most frequent values, five at most.
  std::vector<std::pair<std::string, int64_t>> frequent;
};

struct TableReport {
  std::string source;
  std::string target;
  int64_t rows = 0;
  int64_t duplicates = 0;                                // rows equal to an earlier one
  int64_t conflicts = 0;                                 // rows equal to an earlier one in all but the target
  std::vector<std::pair<std::string, int64_t>> classes;  // rows of each, the most frequent first; empty for regression
  std::vector<ColumnReport> columns;
  std::vector<Finding> findings;  // the gravest first

  bool passed() const;  // no failure
};

// `target` may be empty. Throws DataError if the table lacks it.
TableReport report_table(const Table& table, const Schema& schema, const std::string& target,
                         const ReportOptions& options = {});

Json to_json(const TableReport& report);
std::string to_text(const TableReport& report);

}  // namespace danlu::data
