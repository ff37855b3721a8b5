// Cells read as typed values: numbers and dates.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "danlu/data/table/table.h"

namespace danlu::data {

// A decimal number, spaces around it and a leading + allowed. "nan", "inf" and what overflows a double are numbers too,
// but not finite ones. nullopt for anything else, an empty or missing cell included. Independent of the locale.
std::optional<double> parse_number(Cell cell);

// Days since 1970-01-01, with a fraction for the time of day: 2024-02-29, 2024/02/29, 2024-02-29 13:45[:06[.7]] with T
// or a space before the time and an optional Z or +hh:mm after it. nullopt for anything else, an impossible day
// included.
std::optional<double> parse_date(Cell cell);

// What to do with a cell that is not of its column's type.
enum class BadCell { error, missing };

// The cells of these rows as numbers, or as days for a date column; a missing cell is NaN.
// Throws DataError naming file, line, column and value for one that is neither (or is NaN or infinite), unless `on_bad`
// is `missing`.
std::vector<double> column_numbers(const Table& table, int64_t column, std::span<const int64_t> rows, ColumnType type,
                                   BadCell on_bad);

}  // namespace danlu::data
