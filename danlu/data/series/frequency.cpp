#include "danlu/data/series/frequency.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/options.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.series";
constexpr int64_t kDay = 86400;

struct Unit {
  const char* name;
  int64_t seconds, months;
};
// The longer ones first, so that a distance is named by the longest that it is a multiple of.
constexpr std::array<Unit, 8> kUnits = {{{"year", 0, 12}, {"quarter", 0, 3}, {"month", 0, 1}, {"week", 7 * kDay, 0}, {"day", kDay, 0}, {"hour", 3600, 0}, {"minute", 60, 0}, {"second", 1, 0}}};

std::chrono::year_month_day date_of(double time) {
  return std::chrono::sys_days(std::chrono::days(static_cast<int64_t>(std::floor(time / kDay))));
}

int64_t month_number(double time) {
  const auto date = date_of(time);
  return int64_t{static_cast<int>(date.year())} * 12 + static_cast<unsigned>(date.month()) - 1;
}

double second_of_day(double time) { return time - kDay * std::floor(time / kDay); }

unsigned last_day(std::chrono::year year, std::chrono::month month) {
  return static_cast<unsigned>(std::chrono::year_month_day_last(year, std::chrono::month_day_last(month)).day());
}

// Is it one day of every month, the last one of those that are too short for it?
bool are_on_one_day_of_the_month(std::span<const double> times) {
  unsigned day = 0;
  for (const double time : times) day = std::max(day, static_cast<unsigned>(date_of(time).day()));
  return std::all_of(times.begin(), times.end(), [&](double time) {
    const auto date = date_of(time);
    return static_cast<unsigned>(date.day()) == std::min(day, last_day(date.year(), date.month()));
  });
}

}  // namespace

Frequency Frequency::parse(const std::string& text) {
  Frequency f;
  if (text == "step") return f;
  const size_t space = text.find(' ');
  int64_t count = 1;
  std::string word = text;
  if (space != std::string::npos) {
    const std::string number = text.substr(0, space);
    const bool digits = !number.empty() && number.size() < 7 && std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
    count = digits ? std::stoll(number) : 0;
    word = text.substr(space + 1);
    if (word.ends_with('s')) word.pop_back();
  }
  for (const Unit& unit : kUnits) {
    if (count < 1 || word != unit.name) continue;
    f.seconds_ = count * unit.seconds;
    f.months_ = count * unit.months;
    return f;
  }
  std::vector<std::string> names = {"step"};
  for (const Unit& unit : kUnits) names.emplace_back(unit.name);
  throw ConfigError(kWhere, fmt::format("data.series.frequency: got \"{}\"; expected auto, {}, or a number of them like 15 minutes{}", text, fmt::join(names, ", "), did_you_mean(word, names)));
}

std::optional<Frequency> Frequency::infer(std::span<const double> times) {
  if (times.size() < 2) return std::nullopt;
  double least = HUGE_VAL;
  for (size_t i = 1; i < times.size(); ++i) least = std::min(least, times[i] - times[i - 1]);
  const auto fit = [&](const Frequency& f) {  // each time a period of its own
    for (size_t i = 1; i < times.size(); ++i) {
      if (f.periods(times[i - 1], times[i]).value_or(0) < 1) return false;
    }
    return true;
  };
  Frequency even, calendar, weekly;
  even.seconds_ = std::max<int64_t>(1, std::llround(least));
  weekly.seconds_ = 7 * kDay;
  for (const int64_t months : {1, 3, 12}) {
    const double days = least / kDay;
    if (days >= 30.4 * static_cast<double>(months) - 3 && days <= 30.5 * static_cast<double>(months) + 1) calendar.months_ = months;
  }
  if (calendar.is_step()) return even;
  // 28, 91 and 364 days may be a month, a quarter and a year, or 4, 13 and 52 weeks.
  if (fit(even)) return fit(calendar) && are_on_one_day_of_the_month(times) ? calendar : even;
  if (fit(calendar)) return calendar;
  return fit(weekly) ? weekly : calendar;
}

double Frequency::days() const { return months_ > 0 ? 30.4375 * static_cast<double>(months_) : static_cast<double>(seconds_) / kDay; }

std::string Frequency::name() const {
  for (const Unit& unit : kUnits) {
    const int64_t size = unit.months > 0 ? unit.months : unit.seconds, own = unit.months > 0 ? months_ : seconds_;
    if (own == 0 || own % size != 0) continue;
    return own == size ? unit.name : fmt::format("{} {}s", own / size, unit.name);
  }
  return "step";
}

std::optional<int64_t> Frequency::periods(double from, double to) const {
  if (months_ > 0) {
    const int64_t months = month_number(to) - month_number(from);
    if (months % months_ != 0) return std::nullopt;
    return months / months_;
  }
  const double exact = (to - from) / static_cast<double>(seconds_);
  if (std::abs(exact) > 1e12 || std::abs(exact - std::round(exact)) * static_cast<double>(seconds_) > 0.5) return std::nullopt;
  return std::llround(exact);
}

double Frequency::later(double time, int64_t periods) const {
  if (months_ == 0) return time + static_cast<double>(periods * seconds_);
  using namespace std::chrono;
  const auto date = date_of(time);
  const auto month = year_month(date.year(), date.month()) + std::chrono::months(periods * months_);
  const auto day = std::min(static_cast<unsigned>(date.day()), last_day(month.year(), month.month()));
  const sys_days days = month.year() / month.month() / std::chrono::day(day);
  return static_cast<double>(days.time_since_epoch().count()) * kDay + second_of_day(time);
}

std::string Frequency::time_text(double time) const {
  const auto date = date_of(time);
  std::string text = fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  if (months_ > 0 || is_step() || seconds_ % kDay == 0) return text;
  const int64_t second = static_cast<int64_t>(std::llround(second_of_day(time)));
  text += fmt::format(" {:02}:{:02}", second / 3600, second / 60 % 60);
  return seconds_ % 60 == 0 ? text : text + fmt::format(":{:02}", second % 60);
}

CalendarTime calendar_time(double time) {
  using namespace std::chrono;
  const auto date = date_of(time);
  const sys_days day = date, first = date.year() / January / 1, next = (date.year() + years(1)) / January / 1;
  CalendarTime calendar;
  calendar.weekday = (static_cast<int64_t>(weekday(day).c_encoding()) + 6) % 7;
  calendar.day = time / kDay - std::floor(time / kDay);
  calendar.year = (static_cast<double>((day - first).count()) + calendar.day) / static_cast<double>((next - first).count());
  return calendar;
}

}  // namespace danlu::data
