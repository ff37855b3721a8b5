// A table as it was read: named columns of text cells, each row knowing where it came from.
//
// Cells are views into one text that the table shares with its selections, so copies and select() move no text. What a
// cell means (a number, a category, a date) is decided by the schema; a reader only decides which cells are missing.
// Threads: a Table does not change after construction; any number of threads may read it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "danlu/base/hash.h"
#include "danlu/base/json.h"

namespace danlu::data {

// Text or missing. Missing is Cell{}, which is not the empty text "".
using Cell = std::string_view;
inline bool is_missing(Cell cell) { return cell.data() == nullptr; }

enum class ColumnType { number, category, binary, text, date, id };

const char* name_of(ColumnType type);
std::optional<ColumnType> column_type(std::string_view name);

struct Column {
  std::string name;
  std::vector<Cell> cells;
  // What the file itself says of the column (ARFF); empty for formats that say nothing.
  std::optional<ColumnType> declared_type;
  std::vector<std::string> declared_categories;
};

// What the numbers of a table's rows count, for messages: `train.csv:1042` or `request row 3`.
enum class RowNumber { line, row };

class Table {
 public:
  Table() = default;
  // `lines` holds the source line of every row; `text` owns the bytes that the cells view. Throws DataError for two
  // columns of one name.
  Table(std::string source, std::vector<Column> columns, std::vector<int64_t> lines, std::shared_ptr<const void> text,
        RowNumber counts = RowNumber::line);

  int64_t num_rows() const { return static_cast<int64_t>(lines_.size()); }
  int64_t num_columns() const { return static_cast<int64_t>(columns_.size()); }

  const Column& column(int64_t index) const { return columns_[static_cast<size_t>(index)]; }
  const std::vector<Column>& columns() const { return columns_; }
  std::vector<std::string> column_names() const;
  // nullopt if there is no such column.
  std::optional<int64_t> find_column(std::string_view name) const;
  // Throws DataError naming the source, the column and the nearest name.
  int64_t column_index(std::string_view name) const;

  Cell cell(int64_t row, int64_t column) const {
    return columns_[static_cast<size_t>(column)].cells[static_cast<size_t>(row)];
  }

  // The file, or what stands for one ("request").
  const std::string& source() const { return source_; }
  int64_t line(int64_t row) const { return lines_[static_cast<size_t>(row)]; }
  // `train.csv:1042 column "age"` or `request row 3 column "age"`, as messages begin.
  std::string place(int64_t row, int64_t column) const;

  // The rows of these indexes, in this order. Throws DataError for an index out of range.
  Table select(std::span<const int64_t> rows) const;

  // Hash of a row's cells in column order: equal for rows of equal content, wherever they stand.
  Hash128 row_hash(int64_t row) const;
  // The same over some of the columns (without the target, for example).
  Hash128 row_hash(int64_t row, std::span<const int64_t> columns) const;

 private:
  std::string source_;
  RowNumber counts_ = RowNumber::line;
  std::vector<Column> columns_;
  std::vector<int64_t> lines_;
  std::shared_ptr<const void> text_;
  std::unordered_map<std::string, int64_t> index_;
};

// [0, n): every row of a table.
std::vector<int64_t> all_rows(const Table& table);

// Words that stand for a missing value in a text; `quoted`: in quotes too.
struct MissingWords {
  std::vector<std::string> words;
  bool quoted = true;
};

// A table from JSON objects, [{"age": 3, "sex": "m"}, ...]. Values are numbers, strings, booleans ("true", "false") or
// null, which is a missing cell; so is a value that a file would have as one of `missing`. Every row must have the keys of
// the first: a missing value is written as null, so that a misspelt key is never taken for a gap. The "line" of a row is
// its number, from 1. Throws DataError naming `source`, the row and the key.
Table table_from_rows(const Json& rows, const std::string& source = "request", const MissingWords& missing = {});

// The same from {"columns": ["age", "sex"], "data": [[3, "m"], ...]}.
Table table_from_split(const Json& split, const std::string& source = "request", const MissingWords& missing = {});

}  // namespace danlu::data
