// What each column of a table means, found from its cells, its declaration (ARFF) or the user, with the reason.
//
//   number    measured; every cell a number (a few that are not are faults, named when the column is used)
//   binary    exactly two values
//   category  few values, each seen often
//   date      ISO 8601 days or times
//   text      sentences
//   id        a name for the row; says nothing about other rows
#pragma once

#include <map>
#include <string>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/data/table/table.h"

namespace danlu::data {

struct ColumnSchema {
  std::string name;
  ColumnType type = ColumnType::number;
  std::string reason;
  // Declared by the file, in its order; empty if it declares none.
  std::vector<std::string> categories;
};

struct Schema {
  std::vector<ColumnSchema> columns;

  // Throws DataError naming the column and the nearest name.
  const ColumnSchema& column(std::string_view name) const;
};

// `overrides` gives types by column name; such a column is not looked at. Throws DataError for a name that the table
// does not have.
Schema infer_schema(const Table& table, const std::map<std::string, ColumnType>& overrides = {});

Json to_json(const Schema& schema);

// One line a column: name, type, reason.
std::string to_text(const Schema& schema);

}  // namespace danlu::data
