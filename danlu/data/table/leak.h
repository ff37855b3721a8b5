// How far one feature alone tells the target: near 1 it is most likely the target in disguise, or made after it.
#pragma once

#include <span>
#include <vector>

#include "danlu/data/table/table.h"

namespace danlu::data {

// Group of every row, 0 .. G-1: by value for words; for numbers and dates by quantile bins of at least ten rows, 64 at
// most, equal values together. Missing and bad cells are a group of their own.
std::vector<int64_t> group_rows(const Table& table, int64_t column, ColumnType type, std::span<const int64_t> rows);

// Share of the error of a constant guess that is gone when each row is guessed from the *other* rows of its group, so
// that an id, which is a group of one everywhere, tells nothing. 0 to 1.
double determines_class(std::span<const int64_t> groups, std::span<const int64_t> classes);
double determines_value(std::span<const int64_t> groups, std::span<const double> values);

}  // namespace danlu::data
