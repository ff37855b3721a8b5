#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/options.h"
#include "danlu/data/table/table.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.table";

std::string short_text(const Json& value) {
  std::string text = to_line(value);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

// Collects cells row by row; the views are made at the end, when the text no longer moves.
class RowCollector {
 public:
  RowCollector(std::string source, std::vector<std::string> names, const MissingWords& missing)
      : source_(std::move(source)), names_(std::move(names)), missing_(missing), places_(names_.size()) {}

  const std::vector<std::string>& names() const { return names_; }
  std::string at(size_t row) const { return fmt::format("{} row {}", source_, row + 1); }

  void add(size_t row, size_t column, const Json& value) {
    Place place{text_.size(), 0, value.is_null()};
    if (value.is_string()) {
      text_ += value.get_ref<const std::string&>();
    } else if (value.is_boolean()) {
      text_ += value.get<bool>() ? "true" : "false";
    } else if (value.is_number()) {
      text_ += number_text(value);
    } else if (!value.is_null()) {
      throw DataError(kWhere, fmt::format("{} column \"{}\": got {}; expected a number, a text, true, false or null",
                                          at(row), names_[column], short_text(value)));
    }
    place.length = text_.size() - place.offset;
    if (!value.is_string() || missing_.quoted) place.missing = place.missing || stands_for_missing(place);
    places_[column].push_back(place);
  }

  Table finish() {
    auto text = std::make_shared<const std::string>(std::move(text_));
    std::vector<Column> columns(names_.size());
    for (size_t c = 0; c < names_.size(); ++c) {
      columns[c].name = names_[c];
      for (const Place& place : places_[c]) {
        columns[c].cells.push_back(place.missing ? Cell{} : Cell(*text).substr(place.offset, place.length));
      }
    }
    std::vector<int64_t> lines(places_.empty() ? 0 : places_[0].size());
    for (size_t i = 0; i < lines.size(); ++i) lines[i] = static_cast<int64_t>(i) + 1;
    return Table(source_, std::move(columns), std::move(lines), std::move(text), RowNumber::row);
  }

 private:
  struct Place {
    size_t offset, length;
    bool missing;
  };

  bool stands_for_missing(const Place& place) const {
    const std::string_view text = std::string_view(text_).substr(place.offset, place.length);
    return std::find(missing_.words.begin(), missing_.words.end(), text) != missing_.words.end();
  }

  // The shortest text that reads back as the same number; 3.0 is "3", as a file would have it.
  static std::string number_text(const Json& value) {
    if (value.is_number_float()) {
      const double number = value.get<double>();
      if (std::nearbyint(number) == number && std::abs(number) < 0x1p53) {
        return std::to_string(static_cast<int64_t>(number));
      }
    }
    return value.dump();
  }

  std::string source_;
  std::vector<std::string> names_;
  const MissingWords& missing_;
  std::string text_;
  std::vector<std::vector<Place>> places_;
};

void check_rows(const Json& rows, const std::string& source) {
  if (!rows.is_array()) {
    throw DataError(kWhere, fmt::format("{}: got {}; expected a list of rows", source, short_text(rows)));
  }
  if (rows.empty()) throw DataError(kWhere, fmt::format("{}: got no rows; expected at least one", source));
}

}  // namespace

Table table_from_rows(const Json& rows, const std::string& source, const MissingWords& missing) {
  check_rows(rows, source);
  std::vector<std::string> names;
  if (rows[0].is_object()) {
    for (const auto& [key, unused] : rows[0].items()) names.push_back(key);
  }
  RowCollector collector(source, names, missing);
  for (size_t i = 0; i < rows.size(); ++i) {
    const Json& row = rows[i];
    if (!row.is_object() || row.empty()) {
      throw DataError(kWhere, fmt::format("{}: got {}; expected an object of column names and values", collector.at(i),
                                          short_text(row)));
    }
    for (size_t c = 0; c < names.size(); ++c) {
      const auto it = row.find(names[c]);
      if (it == row.end()) {
        throw DataError(kWhere, fmt::format("{}: no \"{}\", which row 1 has; write null for a missing value",
                                            collector.at(i), names[c]));
      }
      collector.add(i, c, *it);
    }
    if (row.size() == names.size()) continue;
    for (const auto& [key, unused] : row.items()) {
      if (rows[0].contains(key)) continue;
      throw DataError(kWhere, fmt::format("{}: unknown \"{}\", which row 1 does not have{}", collector.at(i), key,
                                          did_you_mean(key, names)));
    }
  }
  return collector.finish();
}

Table table_from_split(const Json& split, const std::string& source, const MissingWords& missing) {
  if (!split.is_object() || !split.contains("columns") || !split.contains("data")) {
    throw DataError(kWhere, fmt::format("{}: got {}; expected {{\"columns\": [...], \"data\": [[...], ...]}}", source,
                                        short_text(split)));
  }
  const Json& data = split["data"];
  check_rows(data, source);
  std::vector<std::string> names;
  if (split["columns"].is_array()) {
    for (const Json& name : split["columns"]) {
      if (!name.is_string()) {
        throw DataError(kWhere, fmt::format("{}: got column name {}; expected a text", source, short_text(name)));
      }
      names.push_back(name.get<std::string>());
    }
  }
  if (names.empty()) throw DataError(kWhere, fmt::format("{}: \"columns\" is empty; expected column names", source));
  RowCollector collector(source, names, missing);
  for (size_t i = 0; i < data.size(); ++i) {
    if (!data[i].is_array() || data[i].size() != names.size()) {
      throw DataError(kWhere, fmt::format("{}: got {}; expected a list of {} values", collector.at(i),
                                          short_text(data[i]), names.size()));
    }
    for (size_t c = 0; c < names.size(); ++c) collector.add(i, c, data[i][c]);
  }
  return collector.finish();
}

}  // namespace danlu::data
