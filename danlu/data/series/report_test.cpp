#include "danlu/data/series/report.h"

#include <gmock/gmock.h>

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/data/series/testing.h"

namespace danlu::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(SplitInTime, LeavesEachPartRoomOrSaysHowMuchItNeeds) {
  const Panel panel = ramp(60);
  const TimeSplit split = split_in_time(panel, {.validation = 0.1, .test = 0.2}, 9, 3);
  EXPECT_EQ(split.training_end, 41);  // the last value is at 58
  EXPECT_EQ(split.validation_end, 47);
  EXPECT_EQ(split.end, 59);
  EXPECT_THAT([&] { split_in_time(panel, {.validation = 0.1, .test = 0.2}, 40, 3); }, ThrowsMessage<DataError>(AllOf(HasSubstr("training part has 41 of 59"), HasSubstr("at least 43"), HasSubstr("a series of 62"))));
  EXPECT_THAT([&] { split_in_time(panel, {.validation = 0.1, .test = 0.2}, 9, 13); }, ThrowsMessage<DataError>(HasSubstr("validation part has 6 of 59 periods; expected at least 13, for one horizon")));
}

TEST(SplitInTime, RefusesOtherWays) {
  const Panel panel = ramp(60);
  SplitOptions options;
  options.column = "part";
  EXPECT_THAT([&] { split_in_time(panel, options, 9, 3); }, ThrowsMessage<ConfigError>(AllOf(HasSubstr("data.split.column: got part"), HasSubstr("in time"))));
  options.column = "";
  options.method = "random";
  EXPECT_THAT([&] { split_in_time(panel, options, 9, 3); }, ThrowsMessage<ConfigError>(HasSubstr("data.split.method: got random")));
  options.method = "ordered";
  EXPECT_NO_THROW(split_in_time(panel, options, 9, 3));
}

TEST(ReportSeries, SaysWhatThereIsAndWhatIsOdd) {
  const auto finding = [](const SeriesReport& report, const std::string& check) -> std::string {
    for (const Json& f : report.json["findings"]) {
      if (f["check"] == check) return f["column"].get<std::string>() + ": " + f["text"].get<std::string>();
    }
    return "none";
  };
  const SeriesOptions options = windows(4, 3, 2);
  Panel panel = ramp(60);
  const TimeSplit split = split_in_time(panel, {.validation = 0.1, .test = 0.3}, 9, 3);
  const SeriesReport report = report_series(panel, SeriesPreprocess::fit(panel, options, split.training_end), split, "s.csv");
  const Json& series = report.json["series"][0];
  EXPECT_EQ(series["values"], 54);
  EXPECT_EQ(series["missing"], 5) << "59 has none and is behind the end";
  EXPECT_EQ(series["gaps"], 5);
  EXPECT_EQ(series["longest_gap"], 1);
  EXPECT_EQ(series["least"], 0);
  EXPECT_EQ(series["most"], 58);
  EXPECT_THAT(report.text, AllOf(HasSubstr("s.csv: 60 rows, 1 series, 60 periods of a step, period 0 to period 59\n"), HasSubstr("54 values, 0 to 58"), HasSubstr("35 periods to train, 6 to validate, 18 to test, from period 41 on\n")));
  EXPECT_EQ(finding(report, "time"), ": no column says when: the rows are taken to be in order of time, one a period");
  for (const char* check : {"gaps", "ends early", "begins late", "constant", "test", "order", "repeated"}) EXPECT_EQ(finding(report, check), "none") << check;

  // A second series that never changes, begins late, ends early and has hardly a value.
  Panel odd = panel;
  odd.series.push_back({"odd", std::vector<double>(60, NAN), {}, 30, 40});
  odd.series[1].values[30] = odd.series[1].values[39] = 5;
  odd.unordered = 2;
  odd.repeated = 1;
  const TimeSplit short_test = split_in_time(odd, {.validation = 0.1, .test = 0.2}, 9, 3);
  const SeriesReport found = report_series(odd, SeriesPreprocess::fit(odd, options, short_test.training_end), short_test, "s.csv");
  EXPECT_THAT(finding(found, "gaps"), AllOf(HasSubstr("odd: 8 of 10 periods have no value"), HasSubstr("data.series.frequency")));
  EXPECT_THAT(finding(found, "ends early"), HasSubstr("odd: ends with period 39"));
  EXPECT_THAT(finding(found, "begins late"), HasSubstr("odd: begins with period 30"));
  EXPECT_EQ(finding(found, "constant"), "odd: never changes in the training part");
  EXPECT_THAT(finding(found, "test"), HasSubstr("4 horizons long"));
  EXPECT_THAT(finding(found, "order"), HasSubstr("2 rows"));
  EXPECT_THAT(finding(found, "repeated"), HasSubstr("1 rows"));
  EXPECT_THAT(found.text, HasSubstr("warning: odd never changes"));
}

}  // namespace
}  // namespace danlu::data
