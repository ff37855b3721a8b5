#include "danlu/data/table/table.h"

#include <array>
#include <cstring>
#include <numeric>

#include "danlu/base/check.h"
#include "danlu/base/format.h"
#include "danlu/base/options.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.table";
constexpr std::array<const char*, 6> kTypeNames = {"number", "category", "binary", "text", "date", "id"};

// Length first, so that ("ab", "c") and ("a", "bc") differ; a length no text has stands for missing.
void append_cell(std::string& bytes, Cell cell) {
  const uint64_t length = is_missing(cell) ? UINT64_MAX : cell.size();
  char prefix[sizeof length];
  std::memcpy(prefix, &length, sizeof length);
  bytes.append(prefix, sizeof length);
  bytes.append(cell);
}

}  // namespace

const char* name_of(ColumnType type) { return kTypeNames[static_cast<size_t>(type)]; }

std::optional<ColumnType> column_type(std::string_view name) {
  for (size_t i = 0; i < kTypeNames.size(); ++i) {
    if (name == kTypeNames[i]) return static_cast<ColumnType>(i);
  }
  return std::nullopt;
}

Table::Table(std::string source, std::vector<Column> columns, std::vector<int64_t> lines,
             std::shared_ptr<const void> text, RowNumber counts)
    : source_(std::move(source)),
      counts_(counts),
      columns_(std::move(columns)),
      lines_(std::move(lines)),
      text_(std::move(text)) {
  for (size_t i = 0; i < columns_.size(); ++i) {
    DANLU_CHECK(columns_[i].cells.size() == lines_.size(), "every column has one cell a row");
    if (!index_.emplace(columns_[i].name, static_cast<int64_t>(i)).second) {
      throw DataError(
          kWhere, fmt::format("{}: got two columns named \"{}\"; expected distinct names", source_, columns_[i].name));
    }
  }
}

std::vector<std::string> Table::column_names() const {
  std::vector<std::string> names;
  for (const Column& column : columns_) names.push_back(column.name);
  return names;
}

std::optional<int64_t> Table::find_column(std::string_view name) const {
  const auto it = index_.find(std::string(name));
  return it == index_.end() ? std::nullopt : std::optional(it->second);
}

int64_t Table::column_index(std::string_view name) const {
  if (const auto index = find_column(name)) return *index;
  const std::vector<std::string> names = column_names();
  std::string hint = did_you_mean(name, names);
  if (hint.empty()) hint = fmt::format("; columns: {}", fmt::join(names, ", "));
  throw DataError(kWhere, fmt::format("{}: no column \"{}\"{}", source_, name, hint));
}

std::string Table::place(int64_t row, int64_t column) const {
  return fmt::format("{}{}{} column \"{}\"", source_, counts_ == RowNumber::line ? ":" : " row ", line(row),
                     columns_[static_cast<size_t>(column)].name);
}

Table Table::select(std::span<const int64_t> rows) const {
  for (const int64_t row : rows) {
    if (row < 0 || row >= num_rows()) {
      throw DataError(kWhere, fmt::format("{}: got row {}; expected 0 to {}", source_, row, num_rows() - 1));
    }
  }
  Table result;
  result.source_ = source_;
  result.counts_ = counts_;
  result.text_ = text_;
  result.index_ = index_;
  for (const int64_t row : rows) result.lines_.push_back(line(row));
  for (const Column& column : columns_) {
    Column& selected = result.columns_.emplace_back();
    selected.name = column.name;
    selected.declared_type = column.declared_type;
    selected.declared_categories = column.declared_categories;
    selected.cells.reserve(rows.size());
    for (const int64_t row : rows) selected.cells.push_back(column.cells[static_cast<size_t>(row)]);
  }
  return result;
}

Hash128 Table::row_hash(int64_t row) const {
  std::string bytes;
  for (const Column& column : columns_) append_cell(bytes, column.cells[static_cast<size_t>(row)]);
  return hash_text(bytes);
}

Hash128 Table::row_hash(int64_t row, std::span<const int64_t> columns) const {
  std::string bytes;
  for (const int64_t column : columns) append_cell(bytes, cell(row, column));
  return hash_text(bytes);
}

std::vector<int64_t> all_rows(const Table& table) {
  std::vector<int64_t> rows(static_cast<size_t>(table.num_rows()));
  std::iota(rows.begin(), rows.end(), int64_t{0});
  return rows;
}

}  // namespace danlu::data
