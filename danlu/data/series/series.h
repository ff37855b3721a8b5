// Series: what was measured, one number a period, from a table with a row for each time.
//
//   date,station,rides,holiday          time: date   id: station   values: rides   known: holiday
//   2024-07-03,Clark,15.2,0
//   2024-07-04,Clark,4.1,1
//   2024-07-05,Clark,,0                 a period to be foretold: what is known of it stands there, its value does not
//
// Every column of `values` is a series, and so is every id. All lie on one grid of periods, from the first time of the table to the last.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "danlu/base/hash.h"
#include "danlu/base/options.h"
#include "danlu/data/series/frequency.h"
#include "danlu/data/table/table.h"

namespace danlu::data {

struct SeriesOptions {
  std::string time;
  std::string id;
  std::vector<std::string> values;
  std::vector<std::string> known;
  std::string frequency = "auto";
  int64_t horizon = 1;
  std::optional<int64_t> season, length;
  std::vector<int64_t> lags;
  std::vector<std::string> calendar = {"auto"};
  std::string reference = "season";
  std::string gaps = "fill";
  std::string on_duplicate = "error";
  std::vector<double> intervals = {0.8, 0.95};
  int64_t stride = 1;
  void describe(OptionVisitor& v);
};

struct Panel {
  struct Series {
    std::string name;                        // "Clark", "rides" or "Clark rides"
    std::vector<double> values;              // of each period; NaN where nothing was measured
    std::vector<std::vector<double>> known;  // of each column of `known` and each period; NaN where there is no row
    int64_t begin = 0, end = 0;              // the first period with a value, and the one after the last
  };
  Frequency frequency;
  std::vector<double> times;  // of each period; empty if no column says when
  bool has_dates = false;     // times are seconds, and not just numbers in order
  int64_t periods = 0;
  std::vector<Series> series;

  int64_t rows = 0;       // of the table
  int64_t unordered = 0;  // rows that came after a later one of their id
  int64_t repeated = 0;   // rows that were merged with another of their id and time

  // Of the periods and what is measured and known in them, whatever the order of rows. Takes as much memory as the table's text.
  Hash128 hash() const;
  // "2024-07-04"; the number that stands for a time; "period 12", counted from 0, where there are no times; "+3" for a step that is
  // still to come.
  std::string time_text(int64_t period) const;
};

// Numbers that a panel may have room for: periods x series x (1 + columns known in advance).
inline constexpr int64_t kMostCells = 200'000'000;

// Throws DataError naming line and column for a time that is none or lies between two periods, two rows of one time, and a value that is no
// finite number; for a table without rows, or with times so far apart that there would be more than `most_cells`; for gaps, unless they are to
// be filled; for a series without a value. ConfigError for a frequency that is none, or that cannot be told.
Panel read_series(const Table& table, const SeriesOptions& options, int64_t most_cells = kMostCells);

// What options leave open: season, length and calendar by the frequency, and `frequency` itself. Throws ConfigError for options that
// contradict each other.
SeriesOptions resolve_series_options(SeriesOptions options, const Frequency& frequency);

}  // namespace danlu::data
