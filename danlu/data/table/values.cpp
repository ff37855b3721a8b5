#include "danlu/data/table/values.h"

#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/table/source_text.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.table";
constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

Cell trimmed(Cell cell) {
  while (!cell.empty() && cell.front() == ' ') cell.remove_prefix(1);
  while (!cell.empty() && cell.back() == ' ') cell.remove_suffix(1);
  return cell;
}

// Reads exactly `digits` digits off the front of the text.
bool take_digits(Cell& text, size_t digits, int& value) {
  if (text.size() < digits) return false;
  value = 0;
  for (size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return true;
}

bool take(Cell& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

// hh:mm[:ss[.fraction]] as a fraction of a day.
bool take_time(Cell& text, double& day) {
  int hour = 0, minute = 0, second = 0;
  double fraction = 0;
  if (!take_digits(text, 2, hour) || !take(text, ':') || !take_digits(text, 2, minute)) return false;
  if (take(text, ':')) {
    if (!take_digits(text, 2, second)) return false;
    if (take(text, '.')) {
      double unit = 0.1;
      if (text.empty()) return false;
      for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1), unit /= 10) {
        fraction += unit * (text.front() - '0');
      }
    }
  }
  if (hour > 23 || minute > 59 || second > 60) return false;
  day = (hour * 3600 + minute * 60 + second + fraction) / 86400.0;
  return true;
}

// Z or +hh:mm or -hh:mm, as a fraction of a day to subtract.
bool take_zone(Cell& text, double& day) {
  if (take(text, 'Z')) return true;
  const double sign = text.front() == '-' ? -1 : 1;
  int hour = 0, minute = 0;
  if (!take(text, '+') && !take(text, '-')) return false;
  if (!take_digits(text, 2, hour)) return false;
  take(text, ':');
  if (!take_digits(text, 2, minute) || hour > 14 || minute > 59) return false;
  day = sign * (hour * 60 + minute) / 1440.0;
  return true;
}

[[noreturn]] void bad_cell(const Table& table, int64_t row, int64_t column, ColumnType type, Cell cell) {
  const char* expected = type == ColumnType::date ? "a date such as 2024-02-29"
                         : parse_number(cell)     ? "a finite number"
                                                  : "a number";
  throw DataError(kWhere,
                  fmt::format("{}: {} is not {}; if it stands for a missing value, add it to the missing words, or set "
                              "on_bad_cell: missing; else give the column another type",
                              table.place(row, column), shown(cell), expected));
}

}  // namespace

std::optional<double> parse_number(Cell cell) {
  cell = trimmed(cell);
  if (!cell.empty() && cell.front() == '+') {
    cell.remove_prefix(1);
    if (!cell.empty() && (cell.front() == '-' || cell.front() == '+')) return std::nullopt;
  }
  if (cell.empty()) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (end != cell.data() + cell.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    // Too small is zero; too large is infinite.
    const size_t exponent = cell.find_first_of("eE");
    const bool tiny = exponent == Cell::npos ? std::abs(value) < 1 : cell.substr(exponent + 1).starts_with('-');
    const double sign = cell.front() == '-' ? -1.0 : 1.0;
    return tiny ? 0.0 * sign : sign * std::numeric_limits<double>::infinity();
  }
  if (error != std::errc()) return std::nullopt;
  return value;
}

std::optional<double> parse_date(Cell cell) {
  cell = trimmed(cell);
  int year = 0, month = 0, day = 0;
  if (!take_digits(cell, 4, year) || cell.empty()) return std::nullopt;
  const char separator = cell.front();
  if (separator != '-' && separator != '/') return std::nullopt;
  if (!take(cell, separator) || !take_digits(cell, 2, month) || !take(cell, separator) || !take_digits(cell, 2, day)) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  double time = 0, zone = 0;
  if (!cell.empty()) {
    if (!take(cell, 'T') && !take(cell, ' ')) return std::nullopt;
    if (!take_time(cell, time)) return std::nullopt;
    if (!cell.empty() && (!take_zone(cell, zone) || !cell.empty())) return std::nullopt;
  }
  return static_cast<double>(std::chrono::sys_days(date).time_since_epoch().count()) + time - zone;
}

std::vector<double> column_numbers(const Table& table, int64_t column, std::span<const int64_t> rows, ColumnType type,
                                   BadCell on_bad) {
  const bool date = type == ColumnType::date;
  std::vector<double> values;
  values.reserve(rows.size());
  for (const int64_t row : rows) {
    const Cell cell = table.cell(row, column);
    std::optional<double> value = kMissing;
    if (!is_missing(cell)) {
      value = date ? parse_date(cell) : parse_number(cell);
      if (!value || !std::isfinite(*value)) {
        if (on_bad == BadCell::error) bad_cell(table, row, column, type, cell);
        value = kMissing;
      }
    }
    values.push_back(*value);
  }
  return values;
}

}  // namespace danlu::data
