#include "danlu/data/table/label_sets.h"

#include <algorithm>
#include <map>
#include <unordered_set>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/table/source_text.h"
#include "danlu/data/text/trim.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.labels";

Cell present_cell(const Table& table, int64_t row, int64_t column) {
  const Cell cell = table.cell(row, column);
  if (!is_missing(cell)) return cell;
  throw DataError(kWhere, fmt::format("{}: the labels are missing; expected some in every row that trains or tests; leave such rows out first", table.place(row, column)));
}

// Each label once.
std::vector<std::string_view> labels_in(std::string_view list, std::string_view separator) {
  std::vector<std::string_view> labels;
  while (true) {
    const size_t end = list.find(separator);
    const std::string_view label = trimmed(list.substr(0, end));
    if (!label.empty() && std::find(labels.begin(), labels.end(), label) == labels.end()) labels.push_back(label);
    if (end == std::string_view::npos) return labels;
    list.remove_prefix(end + separator.size());
  }
}

bool holds(const Table& table, int64_t row, int64_t column) {
  const Cell cell = present_cell(table, row, column);
  std::string word(cell);
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : static_cast<char>(c); });
  if (word == "1" || word == "true" || word == "yes" || word == "1.0") return true;
  if (word == "0" || word == "false" || word == "no" || word == "0.0") return false;
  throw DataError(kWhere, fmt::format("{}: got {}; expected 1 or 0, true or false, yes or no", table.place(row, column), shown(cell)));
}

}  // namespace

LabelSets LabelSets::from_lists(const Table& table, std::span<const int64_t> training, const std::string& column, const std::string& separator, int64_t min_rows) {
  LabelSets sets;
  sets.columns_ = {column};
  sets.separator_ = separator;
  const int64_t index = table.column_index(column);
  std::map<std::string_view, int64_t> rows;
  for (const int64_t row : training) {
    for (const std::string_view label : labels_in(present_cell(table, row, index), separator)) ++rows[label];
  }
  std::vector<std::string> kept;
  for (const auto& [label, count] : rows) {
    if (count >= min_rows && count < std::ssize(training)) kept.emplace_back(label);
  }
  if (kept.size() < 2) {
    throw DataError(kWhere, fmt::format("{}: column \"{}\": got {} different labels between \"{}\", {} of them in at least {} of {} training rows and not in all; expected at least two; is the separator right?",
                                        table.source(), column, rows.size(), separator, kept.size(), min_rows, training.size()));
  }
  sets.reason_ = fmt::format("{} labels, those of at least {} training rows; {} that are rarer, or in all rows, are left out", kept.size(), min_rows, rows.size() - kept.size());
  sets.labels_ = LabelEncoder::from_names(std::move(kept));
  return sets;
}

LabelSets LabelSets::from_columns(const Table& table, std::span<const int64_t> training, const std::vector<std::string>& columns) {
  if (columns.size() < 2) throw DataError(kWhere, fmt::format("got one column of labels, {}; expected at least two: one alone is a target", fmt::join(columns, ", ")));
  LabelSets sets;
  sets.columns_ = columns;
  for (const std::string& name : columns) {
    const int64_t column = table.column_index(name);
    const auto rows = std::count_if(training.begin(), training.end(), [&](int64_t row) { return holds(table, row, column); });
    if (rows == 0 || rows == std::ssize(training)) {
      throw DataError(kWhere, fmt::format("{}: label \"{}\": {} of {} training rows have it; expected some that do and some that do not", table.source(), name, rows, training.size()));
    }
  }
  sets.reason_ = fmt::format("{} columns of labels", columns.size());
  sets.labels_ = LabelEncoder::from_names(columns);
  return sets;
}

Tensor LabelSets::encode(const Table& table, std::span<const int64_t> rows) const {
  const auto labels = std::ssize(names());
  Tensor y = Tensor::zeros({std::ssize(rows), labels});
  std::vector<int64_t> columns;
  for (const std::string& name : columns_) columns.push_back(table.column_index(name));
  float* out = y.mutable_data();
  for (const int64_t row : rows) {
    if (separator_.empty()) {
      for (size_t k = 0; k < columns.size(); ++k) out[k] = holds(table, row, columns[k]) ? 1 : 0;
    } else {
      for (const std::string_view label : labels_in(present_cell(table, row, columns[0]), separator_)) {
        if (const auto k = labels_.encode(label)) out[*k] = 1;
      }
    }
    out += labels;
  }
  return y;
}

Json LabelSets::to_json() const { return {{"columns", columns_}, {"separator", separator_}, {"reason", reason_}, {"names", names()}}; }

LabelSets LabelSets::from_json(const SavedState& state) {
  LabelSets sets;
  sets.columns_ = state.texts("columns");
  sets.separator_ = state.text("separator");
  sets.reason_ = state.text("reason");
  std::vector<std::string> names = state.texts("names");
  if (names.size() < 2 || std::unordered_set<std::string>(names.begin(), names.end()).size() != names.size()) state.fail("names", "distinct texts, at least two");
  if (sets.columns_.size() != (sets.separator_.empty() ? names.size() : 1)) state.fail("columns", "one of lists, or one for each label");
  sets.labels_ = LabelEncoder::from_names(std::move(names));
  return sets;
}

}  // namespace danlu::data
