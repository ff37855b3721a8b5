#include "danlu/data/series/series.h"

#include <gmock/gmock.h>

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/data/dataset/series_dataset.h"
#include "danlu/data/series/report.h"
#include "danlu/data/table/csv.h"

namespace danlu::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsNan;
using testing::ThrowsMessage;

Panel read(const std::string& csv, SeriesOptions options) { return read_series(parse_csv(csv, "s.csv"), options); }
SeriesOptions daily() {
  SeriesOptions o;
  o.time = "day";
  o.values = {"rides"};
  return o;
}

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
  EXPECT_EQ(a.hash, b.hash);
  EXPECT_NE(a.hash, read("day,rides\n2024-02-28,1\n2024-02-29,2\n2024-03-01,5\n", daily()).hash);
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

// 0, 1, 2, ... with every tenth value missing.
Panel ramp(int64_t periods) {
  std::string csv = "rides\n";
  for (int64_t p = 0; p < periods; ++p) csv += p % 10 == 9 ? "NA\n" : std::to_string(p) + "\n";
  SeriesOptions o = daily();
  o.time = "";
  return read(csv, o);
}

SeriesOptions windows(int64_t length, int64_t horizon, int64_t season) {
  SeriesOptions o = daily();
  o.length = length;
  o.horizon = horizon;
  o.season = season;
  o.lags = {5};
  return resolve_series_options(o, Frequency::parse("step"));
}

TEST(SeriesPreprocess, ShowsThePastAndNothingElse) {
  const Panel panel = ramp(60);
  const auto preprocess = SeriesPreprocess::fit(panel, windows(4, 3, 2), 40);
  ASSERT_EQ(preprocess.history(), 9);
  std::vector<float> x(static_cast<size_t>(preprocess.rows() * preprocess.channels()));
  const ForecastFrame frame = preprocess.encode(panel, 0, 20, x);
  EXPECT_EQ(frame.last, 18) << "19 is a gap: filled with what stands before the origin, not with 20";
  EXPECT_THAT(frame.seasonal, ElementsAre(18, 18, 18)) << "of 20, 21, 22 a season of 2 before: 18, 19, 18";
  EXPECT_DOUBLE_EQ(frame.scale, 2) << "what changes in a season";
  EXPECT_THAT(x, ElementsAre(-1, -3.5, -0.5, -3, 0, -2.5, 0, -2, 0, -1.5, 0, -1, 0, -0.5)) << "value or reference, and the value 5 before, less 18, over 2";

  Panel other = panel;
  for (size_t p = 20; p < 60; ++p) other.series[0].values[p] = -1000;
  std::vector<float> y(x.size());
  preprocess.encode(other, 0, 20, y);
  EXPECT_EQ(x, y) << "what comes after the origin changes nothing";
}

TEST(SeriesPreprocess, IsFittedToTheTrainingPartAndSaved) {
  const Panel panel = ramp(60);
  Panel wild = panel;
  for (size_t p = 40; p < 60; ++p) wild.series[0].values[p] *= 100;
  const auto a = SeriesPreprocess::fit(panel, windows(4, 3, 2), 40), b = SeriesPreprocess::fit(wild, windows(4, 3, 2), 40);
  EXPECT_EQ(a.to_json(), b.to_json());
  const auto again = SeriesPreprocess::from_json(a.to_json(), "p.json");
  EXPECT_EQ(again.to_json(), a.to_json());
  EXPECT_EQ(again.history(), a.history());
  Json broken = a.to_json();
  broken["scales"][0]["scale"] = 0;
  EXPECT_THAT([&] { SeriesPreprocess::from_json(broken, "p.json"); }, ThrowsMessage<DataError>(AllOf(HasSubstr("p.json"), HasSubstr("scale"))));
}

TEST(SeriesPreprocess, RefusesWhatNeverChanges) {
  Panel panel = ramp(60);
  for (size_t p = 0; p < 40; ++p) panel.series[0].values[p] = 7;
  EXPECT_THAT([&] { SeriesPreprocess::fit(panel, windows(4, 3, 2), 40); }, ThrowsMessage<DataError>(AllOf(HasSubstr("\"rides\" never changes before period 40"), HasSubstr("7"))));
}

TEST(SplitInTime, LeavesEachPartRoomOrSaysHowMuchItNeeds) {
  const Panel panel = ramp(60);
  const TimeSplit split = split_in_time(panel, {.validation = 0.1, .test = 0.2}, 9, 3);
  EXPECT_EQ(split.training_end, 41);  // the last value is at 58
  EXPECT_EQ(split.validation_end, 47);
  EXPECT_EQ(split.end, 59);
  EXPECT_THAT([&] { split_in_time(panel, {.validation = 0.1, .test = 0.2}, 40, 3); }, ThrowsMessage<DataError>(AllOf(HasSubstr("training part has 41 of 59"), HasSubstr("at least 43"), HasSubstr("a series of 62"))));
  EXPECT_THAT([&] { split_in_time(panel, {.validation = 0.1, .test = 0.2}, 9, 13); }, ThrowsMessage<DataError>(HasSubstr("validation part has 6 of 59 periods; expected at least 13, for one horizon")));
}

TEST(SeriesDataset, HasWindowsWithinItsPart) {
  const Panel panel = ramp(60);
  const auto preprocess = SeriesPreprocess::fit(panel, windows(4, 3, 2), 40);
  const auto training = origins_between(panel, preprocess, 0, 40), test = origins_between(panel, preprocess, 47, 59, 4);
  EXPECT_EQ(training.front().period, 9);
  EXPECT_EQ(training.back().period, 37) << "whose horizon ends with the part";
  ASSERT_EQ(test.size(), 3u);
  EXPECT_EQ(test[1].period, 51);
  const SeriesDataset dataset(panel, preprocess, training);
  Batch batch;
  dataset.gather(std::vector<int64_t>{0, 1}, batch);
  EXPECT_EQ(batch.x.shape(), (Shape{2, 7, 2}));
  EXPECT_THAT(batch.y.to_vector(), ElementsAre(IsNan(), 1, 2, 1, 1.5, 2)) << "9 is a gap; 10 less 8 and 11 less 7, over 2; then 10 to 12 less 8, which fills the gap";
}

}  // namespace
}  // namespace danlu::data
