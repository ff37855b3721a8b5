#include "danlu/data/series/series.h"

#include <gmock/gmock.h>

#include "danlu/base/error.h"
#include "danlu/data/series/testing.h"
#include "danlu/data/table/csv.h"

namespace danlu::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsNan;
using testing::ThrowsMessage;

Panel read(const std::string& csv, const SeriesOptions& options) { return read_series(parse_csv(csv, "s.csv"), options); }

TEST(Series, LieOnAGridWithGaps) {
  const Panel panel = read("day,rides\n2024-03-01,4\n2024-02-28,1\n2024-02-29,NA\n2024-03-03,6\n", daily());
  EXPECT_EQ(panel.frequency.name(), "day");
  EXPECT_THAT(panel.series[0].values, ElementsAre(1, IsNan(), 4, IsNan(), 6));
  EXPECT_EQ(panel.unordered, 2) << "two rows come after a later one";
  EXPECT_EQ(panel.time_text(2), "2024-03-01");
  EXPECT_EQ(panel.time_text(6), "2024-03-05") << "what is still to come";
}

TEST(Series, DoNotDependOnTheOrderOfRows) {
  const Panel a = read("day,rides\n2024-02-28,1\n2024-02-29,2\n2024-03-01,4\n", daily());
  const Panel b = read("day,rides\n2024-03-01,4\n2024-02-28,1\n2024-02-29,2\n", daily());
  EXPECT_EQ(a.hash(), b.hash());
  EXPECT_NE(a.hash(), read("day,rides\n2024-02-28,1\n2024-02-29,2\n2024-03-01,5\n", daily()).hash());
}

TEST(Series, TakeTimesInSeveralForms) {
  EXPECT_EQ(read("day,rides\n19580329,1\n19580405,2\n", daily()).frequency.name(), "week");
  EXPECT_EQ(read("day,rides\n1949-01,1\n1949-02,2\n", daily()).time_text(1), "1949-02-01");
  const Panel steps = read("day,rides\n10,1\n30,3\n20.5,2\n", daily());
  EXPECT_TRUE(steps.frequency.is_step());
  EXPECT_THAT(steps.series[0].values, ElementsAre(1, 2, 3));
  EXPECT_EQ(steps.time_text(1), "20.5");
  EXPECT_EQ(steps.time_text(4), "+2");
  SeriesOptions rows = daily();
  rows.time = "";
  EXPECT_EQ(read("rides\n1\n2\n", rows).time_text(1), "period 1");
}

TEST(Series, AreToldApartByColumnAndId) {
  SeriesOptions o = daily();
  o.id = "at";
  o.values = {"rides", "fares"};
  o.known = {"holiday"};
  const Panel panel = read("day,at,rides,fares,holiday\n2024-01-01,x,1,10,1\n2024-01-02,x,2,20,0\n2024-01-02,y,3,30,0\n2024-01-03,y,,,1\n", o);
  ASSERT_EQ(panel.series.size(), 4u);
  EXPECT_EQ(panel.series[1].name, "x fares");
  EXPECT_THAT(panel.series[1].values, ElementsAre(10, 20, IsNan()));
  EXPECT_EQ(panel.series[2].begin, 1);
  EXPECT_EQ(panel.series[2].end, 2);
  EXPECT_THAT(panel.series[2].known[0], ElementsAre(IsNan(), 0, 1)) << "known of what is to come";
}

TEST(Series, RefuseBadRowsByLine) {
  const auto refusal = [](const std::string& rows, auto matcher, SeriesOptions o = daily()) {
    EXPECT_THAT([&] { read("day,rides\n" + rows, o); }, ThrowsMessage<DataError>(matcher)) << rows;
  };
  refusal("2024-01-01,1\n2024-01-02,2\n2024-01-01,3\n", AllOf(HasSubstr("s.csv:4 column \"day\""), HasSubstr("2024-01-01 a second time"), HasSubstr("line 2"), HasSubstr("on_duplicate")));
  refusal("2024-01-01,1\n2024-13-02,2\n", AllOf(HasSubstr("s.csv:3 column \"day\""), HasSubstr("\"2024-13-02\""), HasSubstr("expected a date")));
  refusal("2024-01-01,1\n,2\n", AllOf(HasSubstr("s.csv:3"), HasSubstr("got nothing")));
  refusal("2024-01-01,1\n2024-01-02,nan\n", AllOf(HasSubstr("s.csv:3 column \"rides\""), HasSubstr("a finite number"), HasSubstr("data.csv.missing")));
  refusal("2024-01-01,1\n2024-01-02,many\n", HasSubstr("\"many\""));
  refusal("2024-01-01,\n2024-01-02,\n", HasSubstr("\"rides\" has no value at all"));
  refusal("2024-01-01,1\n", HasSubstr("at least two"));
  SeriesOptions weekly = daily();
  weekly.frequency = "week";
  refusal("2024-01-01,1\n2024-01-09,2\n", AllOf(HasSubstr("s.csv:3"), HasSubstr("whole number of periods of a week")), weekly);
  SeriesOptions strict = daily();
  strict.gaps = "error";
  refusal("2024-01-01,1\n2024-01-02,2\n2024-01-04,4\n", AllOf(HasSubstr("no value for 2024-01-03"), HasSubstr("gaps: fill")), strict);
  refusal("0001-01-01,1\n2024-01-01 00:01,2\n2024-01-01 00:02,3\n", HasSubstr("expected at most"));
  EXPECT_THAT([&] { read_series(parse_csv("day,rides\n2024-01-01,1\n", "s.csv").select({}), daily()); }, ThrowsMessage<DataError>(HasSubstr("s.csv: got no rows")));
  refusal("2024-01-01,1\n2024-01-05,2\n2024-01-04,3\n2024-01-02 00:07,4\n2024-01-02,5\n", AllOf(HasSubstr("s.csv:3 column"), HasSubstr("\"2024-01-05\""), HasSubstr("of a 7 minutes, as near as lines 6 and 5 are")));
  refusal("2024-01-01,1\n2024-01-03,2\n2024-01-02,3\n", AllOf(HasSubstr("s.csv:4"), HasSubstr("of a 2 days behind the first time, 2024-01-01 in line 2")), [] {
    SeriesOptions every_other = daily();
    every_other.frequency = "2 days";
    return every_other;
  }());
}

TEST(Series, HaveNoMoreCellsThanTheyMay) {
  const auto refusal = [](const std::string& csv, const SeriesOptions& o, int64_t most, auto matcher) {
    EXPECT_THAT([&] { read_series(parse_csv(csv, "s.csv"), o, most); }, ThrowsMessage<DataError>(matcher)) << csv;
    EXPECT_NO_THROW(read_series(parse_csv(csv, "s.csv"), o, most + 1));
  };
  SeriesOptions o = daily();
  o.frequency = "day";
  refusal("day,rides\n2024-01-01,1\n2024-01-10,2\n", o, 9, AllOf(HasSubstr("s.csv: got 2 rows"), HasSubstr("10 periods of a day, from 2024-01-01 to 2024-01-10"), HasSubstr("make 10 cells"), HasSubstr("at most 9"), HasSubstr("data.series.frequency")));
  o.id = "at";
  o.known = {"holiday"};
  refusal("day,at,rides,holiday\n2024-01-01,x,1,0\n2024-01-05,x,1,0\n2024-01-02,y,1,0\n2024-01-03,z,1,0\n", o, 29, AllOf(HasSubstr("5 periods"), HasSubstr("of 3 series with 1 columns known in advance make 30 cells")));
  SeriesOptions steps = daily();
  steps.time = "";
  steps.id = "at";
  refusal("at,rides\nx,1\nx,1\nx,1\ny,1\n", steps, 5, AllOf(HasSubstr("3 periods of 2 series"), HasSubstr("fewer series")));
}

TEST(Series, MergeRowsOfOneTimeIfTheyMay) {
  SeriesOptions o = daily();
  const std::string csv = "day,rides\n2024-01-01,1\n2024-01-01,3\n2024-01-01,NA\n2024-01-02,5\n";
  const auto first = [&](const char* way) {
    o.on_duplicate = way;
    const Panel panel = read(csv, o);
    EXPECT_EQ(panel.repeated, 2);
    return panel.series[0].values[0];
  };
  EXPECT_EQ(first("mean"), 2);
  EXPECT_EQ(first("sum"), 4);
  EXPECT_EQ(first("last"), 3) << "a gap is no value";
}

TEST(Series, ARowOfATimeThatWasThereTakesNothingBackThatIsKnown) {
  SeriesOptions o = daily();
  o.known = {"holiday"};
  o.on_duplicate = "last";
  const Panel panel = read("day,rides,holiday\n2024-01-01,1,1\n2024-01-02,2,0\n2024-01-01,3,\n2024-01-02,,1\n", o);
  EXPECT_THAT(panel.series[0].values, ElementsAre(3, 2));
  EXPECT_THAT(panel.series[0].known[0], ElementsAre(1, 1));
}

TEST(SeriesOptions, AreResolvedByTheFrequency) {
  const auto resolved = [](const char* frequency, int64_t horizon) {
    SeriesOptions o;
    o.horizon = horizon;
    return resolve_series_options(o, Frequency::parse(frequency));
  };
  EXPECT_EQ(resolved("hour", 6).season, 24);
  EXPECT_EQ(resolved("day", 6).season, 7);
  EXPECT_EQ(resolved("week", 6).season, 52);
  EXPECT_EQ(resolved("month", 6).season, 12);
  EXPECT_EQ(resolved("year", 6).season, 1);
  EXPECT_EQ(resolved("day", 30).length, 30);
  EXPECT_THAT(resolved("hour", 6).calendar, ElementsAre("day", "weekday", "year"));
  EXPECT_THAT(resolved("step", 6).calendar, ElementsAre());
  SeriesOptions near;
  near.horizon = 14;
  near.lags = {7};
  EXPECT_THAT([&] { resolve_series_options(near, Frequency::parse("day")); }, ThrowsMessage<ConfigError>(HasSubstr("expected at least the horizon, 14")));
}

}  // namespace
}  // namespace danlu::data
