// How often a series is measured: every so many seconds, every so many months, or whenever there is a row.
//
//   Frequency daily = Frequency::parse("day");
//   daily.periods(parse_time("2024-02-28"), parse_time("2024-03-01"))   // 2
//
// Times are seconds since 1970-01-01, without time zones: a day has 24 hours. Of months the day does not count.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace danlu::data {

class Frequency {
 public:
  // "day", "15 minutes", "quarter"; of minute, hour, day, week, month, quarter, year, or "step": a row is a period, whatever its time.
  // Throws ConfigError for anything else.
  static Frequency parse(const std::string& text);
  // The smallest distance of ascending, different times, by the calendar if all of them may be a month, a quarter or a year apart, and by weeks
  // if only those fit; nothing for fewer than two times. Some of them may not fit: one that stands out of line makes a distance too.
  static std::optional<Frequency> infer(std::span<const double> times);

  bool is_step() const { return seconds_ == 0 && months_ == 0; }
  double days() const;  // of a period, about; 0 for steps
  std::string name() const;

  // From one time to another; nothing if that is no whole number of periods. Not for steps.
  std::optional<int64_t> periods(double from, double to) const;
  // So many periods later; a day that its month does not have becomes the last one. Not for steps.
  double later(double time, int64_t periods) const;
  // "2024-02-29", "2024-02-29 13:45" where a period is not whole days.
  std::string time_text(double time) const;

 private:
  int64_t seconds_ = 0, months_ = 0;  // one of them is set, or none
};

// The day of the week, 0 for Monday, and the part of the day and of the year that is over, in [0, 1).
struct CalendarTime {
  int64_t weekday = 0;
  double day = 0, year = 0;
};
CalendarTime calendar_time(double time);

}  // namespace danlu::data
