#include "danlu/data/series/frequency.h"

#include <gmock/gmock.h>

#include "danlu/base/error.h"
#include "danlu/data/table/values.h"

namespace danlu::data {
namespace {

using testing::HasSubstr;

double at(const char* date) { return *parse_date(date) * 86400; }

TEST(Frequency, HasTheNameThatItIsReadFrom) {
  for (const char* name : {"step", "minute", "15 minutes", "hour", "day", "2 days", "week", "month", "quarter", "year", "2 years"}) EXPECT_EQ(Frequency::parse(name).name(), name);
  EXPECT_EQ(Frequency::parse("60 minutes").name(), "hour");
  EXPECT_EQ(Frequency::parse("12 months").name(), "year");
}

TEST(Frequency, RefusesOthers) {
  for (const char* text : {"weak", "0 days", "-1 days", "1.5 hours", "99999999 days", "", " day"}) {
    try {
      Frequency::parse(text);
      ADD_FAILURE() << text;
    } catch (const ConfigError& error) {
      EXPECT_THAT(error.what(), HasSubstr("data.series.frequency"));
    }
  }
  EXPECT_THAT([] { Frequency::parse("weak"); }, testing::ThrowsMessage<ConfigError>(HasSubstr("did you mean \"week\"?")));
}

TEST(Frequency, IsFoundFromTheSmallestDistance) {
  const auto of = [](std::vector<const char*> dates) {
    std::vector<double> times;
    for (const char* date : dates) times.push_back(at(date));
    const auto found = Frequency::infer(times);
    return found ? found->name() : "none";
  };
  EXPECT_EQ(of({"2024-01-01", "2024-01-02", "2024-01-05"}), "day");
  EXPECT_EQ(of({"2024-01-06", "2024-01-20", "2024-01-27"}), "week");
  EXPECT_EQ(of({"2023-01-31", "2023-02-28", "2023-03-31"}), "month");
  EXPECT_EQ(of({"2023-01-01", "2023-04-01", "2023-07-01"}), "quarter");
  EXPECT_EQ(of({"2023-01-01", "2024-01-01", "2025-01-01"}), "year");
  EXPECT_EQ(of({"2024-01-01 00:00", "2024-01-01 00:15", "2024-01-01 01:00"}), "15 minutes");
  EXPECT_EQ(of({"2024-01-01"}), "none");
}

TEST(Frequency, WeeksAreNoMonths) {
  const auto every = [](double days, int count, const char* first) {
    std::vector<double> times;
    for (int i = 0; i < count; ++i) times.push_back(at(first) + i * days * 86400);
    return Frequency::infer(times)->name();
  };
  EXPECT_EQ(every(28, 20, "2023-01-02"), "4 weeks");
  EXPECT_EQ(every(91, 5, "2023-01-02"), "13 weeks") << "each in a quarter of its own";
  EXPECT_EQ(every(364, 3, "2023-01-02"), "52 weeks");
  EXPECT_EQ(every(30, 20, "2023-01-01"), "30 days");
  EXPECT_EQ(every(28, 2, "2023-02-01"), "month") << "the same day of two months";
  const auto of = [](std::vector<const char*> dates) {
    std::vector<double> times;
    for (const char* date : dates) times.push_back(at(date));
    return Frequency::infer(times)->name();
  };
  EXPECT_EQ(of({"2023-01-02", "2023-02-01", "2023-03-01", "2023-04-03"}), "month") << "the first working day of each";
  EXPECT_EQ(of({"2023-01-02", "2023-01-30", "2023-03-06"}), "week") << "4 and 5 of them";
  EXPECT_EQ(of({"2022-12-31", "2023-06-30", "2023-09-30"}), "quarter");
}

TEST(Frequency, CountsPeriodsAndGoesOn) {
  const Frequency day = Frequency::parse("day"), month = Frequency::parse("month"), hour = Frequency::parse("hour");
  EXPECT_EQ(day.periods(at("2024-02-28"), at("2024-03-01")), 2);
  EXPECT_EQ(day.periods(at("2024-02-28"), at("2024-02-28 12:00")), std::nullopt);
  EXPECT_EQ(month.periods(at("2023-12-31"), at("2024-02-29")), 2) << "of months the day does not count";
  EXPECT_EQ(Frequency::parse("quarter").periods(at("2024-01-01"), at("2024-02-01")), std::nullopt);
  EXPECT_EQ(month.time_text(month.later(at("2024-01-31"), 1)), "2024-02-29");
  EXPECT_EQ(month.time_text(month.later(at("2024-01-31"), 14)), "2025-03-31");
  EXPECT_EQ(month.time_text(month.later(at("1958-03-01"), -3)), "1957-12-01");
  EXPECT_EQ(hour.time_text(hour.later(at("2024-12-31 23:00"), 2)), "2025-01-01 01:00");
  EXPECT_EQ(month.later(at("1958-01-31 06:00"), 1), at("1958-02-28 06:00")) << "the hour of a day before 1970";
  EXPECT_EQ(hour.time_text(hour.later(at("1958-12-31 23:00"), 2)), "1959-01-01 01:00");
}

TEST(CalendarTime, KnowsWeekdaysAndYears) {
  EXPECT_EQ(calendar_time(at("2026-11-30")).weekday, 0) << "a Monday";
  EXPECT_EQ(calendar_time(at("1958-03-29")).weekday, 5) << "a Saturday before 1970";
  EXPECT_EQ(calendar_time(at("2024-01-01")).year, 0);
  EXPECT_DOUBLE_EQ(calendar_time(at("2024-12-31")).year, 365.0 / 366);
  EXPECT_DOUBLE_EQ(calendar_time(at("1960-05-05 06:00")).day, 0.25);
}

}  // namespace
}  // namespace danlu::data
