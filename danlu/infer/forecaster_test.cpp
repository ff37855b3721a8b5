#include "danlu/infer/forecaster.h"

#include <gmock/gmock.h>

#include "danlu/base/format.h"
#include "danlu/base/temporary_directory.h"
#include "danlu/data/series/inputs.h"
#include "danlu/data/table/csv.h"
#include "danlu/infer/testing.h"
#include "danlu/learn/models/model.h"

namespace danlu::infer {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr int64_t kDays = 60;

std::string day_text(int64_t day) {
  const auto days = data::Frequency::parse("day");
  return days.time_text(static_cast<double>(day) * 86400);
}

// A model whose outputs are `weight` times the first number that it is shown.
std::unique_ptr<nn::Module> first_number(const data::SeriesPreprocess& preprocess, float weight) {
  auto model = models::parse_model("logistic").make({preprocess.rows(), preprocess.channels()}, preprocess.horizon());
  for (nn::NamedTensor& t : model->named_parameters()) {
    if (t.tensor.rank() != 2) continue;
    for (int64_t h = 0; h < t.tensor.size(0); ++h) t.tensor.mutable_data()[h * t.tensor.size(1)] = weight;
  }
  return model;
}

// Two stations whose rides grow from day to day, and more on Saturdays; sales are known in advance.
class Rides : public testing::Test {
 protected:
  Rides() {
    data::SeriesOptions options;
    options.time = "day";
    options.id = "at";
    options.values = {"rides"};
    options.known = {"sale"};
    options.horizon = 3;
    options.length = 7;
    const data::Panel panel = data::read_series(data::parse_csv(csv(kDays), "rides.csv"), options);
    const auto preprocess = data::SeriesPreprocess::fit(panel, data::resolve_series_options(options, panel.frequency), 50);
    const ForecasterBundle bundle{.name = "rides", .notice = "a toy", .missing = {{"NA"}, true}, .model = models::parse_model("logistic").resolved, .bands = {{0.8, {-1, -2, -3}, {1, 2, 3}}}};
    write_forecaster(directory_.path(), bundle, *first_number(preprocess, 0), preprocess);
  }
  static double rides(int64_t day, int station) { return static_cast<double>(10 * day + 100 * station + (day % 7 == 2 ? 50 : 0)); }
  // The days of both stations, and as many behind them without rides.
  static std::string csv(int64_t days, int64_t ahead = 0) {
    std::string text = "day,at,rides,sale\n";
    for (int64_t day = 0; day < days + ahead; ++day) {
      for (int station = 0; station < 2; ++station) text += fmt::format("{},{},{},{}\n", day_text(day), station == 0 ? "north" : "south", day < days ? fmt::format("{}", rides(day, station)) : "NA", day % 2);
    }
    return text;
  }
  static data::Table table(int64_t days, int64_t ahead = 0) { return data::parse_csv(csv(days, ahead), "new.csv"); }

  const TemporaryDirectory directory_;
};

TEST_F(Rides, WhereTheModelSaysNothingIsWhatWasASeasonBefore) {
  const Forecaster forecaster(directory_.path());
  EXPECT_TRUE(is_forecaster(directory_.path()));
  const std::vector<Forecast> forecasts = forecaster.forecast(table(kDays, 3));
  ASSERT_EQ(forecasts.size(), 2u);
  const double scale = forecaster.preprocess().scale_of({.name = "north", .values = {}, .known = {}}, 0);
  for (int station = 0; station < 2; ++station) {
    const Forecast& f = forecasts[static_cast<size_t>(station)];
    EXPECT_EQ(f.series, station == 0 ? "north" : "south");
    EXPECT_EQ(f.notice, "a toy");
    ASSERT_EQ(f.steps.size(), 3u);
    for (int64_t h = 0; h < 3; ++h) {
      const Forecast::Step& step = f.steps[static_cast<size_t>(h)];
      EXPECT_EQ(step.time, day_text(kDays + h));
      EXPECT_DOUBLE_EQ(step.value, rides(kDays + h - 7, station));
      ASSERT_EQ(step.intervals.size(), 1u);
      EXPECT_DOUBLE_EQ(step.intervals[0].low, step.value - scale * static_cast<double>(h + 1));
      EXPECT_DOUBLE_EQ(step.intervals[0].high, step.value + scale * static_cast<double>(h + 1));
    }
  }
  EXPECT_EQ(forecaster.forecast(table(kDays, 3), 1)[0].steps.size(), 1u);
  EXPECT_EQ(to_json(forecasts[1])["forecast"][0]["intervals"][0]["share"], 0.8);
}

// The model says twice the first number that it is shown, the value of 7 days before, and nothing else.
TEST_F(Rides, AnInputIsWorthWhatTheForecastLacksWithoutIt) {
  const data::SeriesPreprocess preprocess = Forecaster(directory_.path()).preprocess();
  const ForecasterBundle bundle{.name = "rides", .notice = "", .missing = {{"NA"}, true}, .model = models::parse_model("logistic").resolved, .bands = {}};
  write_forecaster(directory_.path(), bundle, *first_number(preprocess, 2), preprocess);
  const Forecaster forecaster(directory_.path());
  const std::vector<Forecast> forecasts = forecaster.explain(table(kDays, 3), 2);
  ASSERT_EQ(forecasts.size(), 2u);
  for (int station = 0; station < 2; ++station) {
    const Forecast& f = forecasts[static_cast<size_t>(station)];
    EXPECT_EQ(f.influences.size(), data::series_inputs(preprocess).size());
    EXPECT_EQ(f.influences[0].input, "values 5 to 7 before") << "most first";
    ASSERT_EQ(f.influences[0].by_step.size(), 2u);
    for (const double added : f.influences[0].by_step) EXPECT_NEAR(added, 2 * (rides(kDays - 7, station) - rides(kDays - 1, station)), 1e-3);
    for (size_t i = 1; i < f.influences.size(); ++i) EXPECT_EQ(f.influences[i].by_step, (std::vector<double>{0, 0})) << f.influences[i].input;
  }
  EXPECT_TRUE(forecaster.forecast(table(kDays, 3))[0].influences.empty());
  EXPECT_EQ(to_json(forecasts[0])["explanation"]["influences"][0]["input"], "values 5 to 7 before");
}

TEST_F(Rides, QuestionsThatDoNotFitAreRefused) {
  const Forecaster forecaster(directory_.path());
  const auto refusal = [&](const data::Table& asked, auto words, std::optional<int64_t> horizon = {}) {
    EXPECT_THAT([&] { forecaster.forecast(asked, horizon); }, ThrowsMessage<DataError>(words));
  };
  refusal(table(kDays, 3), AllOf(HasSubstr("horizon: got 4"), HasSubstr("1 to 3")), 4);
  refusal(table(6, 3), AllOf(HasSubstr("\"north\": got 6 periods"), HasSubstr("at least 7")));
  refusal(table(kDays, 2), AllOf(HasSubstr("got no \"sale\" for " + day_text(kDays + 2)), HasSubstr("all 3 periods")));
  refusal(data::parse_csv("day,at,rides,sale\n1,north,2,0\n2,north,3,0\n", "new.csv"), HasSubstr("the times are numbers"));
  refusal(data::parse_csv("day,rides,sale\n2024-01-01,1,0\n", "new.csv"), HasSubstr("\"at\""));
}

TEST_F(Rides, AFewRowsDoNotTakeMuchMemory) {
  const Forecaster forecaster(directory_.path());
  std::string far = csv(kDays) + "9999-01-01,north,1,0\n";
  EXPECT_THAT([&] { forecaster.forecast(data::parse_csv(far, "new.csv")); }, ThrowsMessage<DataError>(AllOf(HasSubstr("new.csv: got 121 rows"), HasSubstr("of 2 series"), HasSubstr("at most 1012100"))));
  // Rows of a day each, of many stations, beside a long history of one.
  std::string many = csv(5000);
  for (int station = 0; station < 5000; ++station) many += fmt::format("{},s{},1,0\n", day_text(0), station);
  EXPECT_THAT([&] { forecaster.forecast(data::parse_csv(many, "new.csv")); }, ThrowsMessage<DataError>(AllOf(HasSubstr("5000 periods"), HasSubstr("of 5002 series"), HasSubstr("fewer series at a time"))));
}

TEST_F(Rides, OfABundleNothingIsBelieved) {
  expect_refused(directory_.path(),
                 {
                     {"config.json", "/format", "danlu-faq", "not the configuration of a forecaster"},
                     {"config.json", "/format", kTakenOut, "format"},
                     {"config.json", "/format_version", 99, "format_version: got 99"},
                     {"config.json", "/name", 3, "must be string"},
                     {"config.json", "/notice", nullptr, "must be string"},
                     {"config.json", "/missing", 3, "cannot use at()"},
                     {"config.json", "/missing/words", 3, "must be array"},
                     {"config.json", "/intervals/0/share", 0, "share: got 0"},
                     {"config.json", "/intervals/0/share", 1, "share: got 1"},
                     {"config.json", "/intervals/0/share", -0.5, "share: got -0.5"},
                     {"config.json", "/intervals/0/low", {-1, -2}, "one for each of 3 periods"},
                     {"config.json", "/intervals/0/high", {1, 2, 3, 4}, "one for each of 3 periods"},
                     {"config.json", "/intervals/0/low", {-1, 2.5, -3}, "got 2.5 to 2 for period 2; expected finite numbers, the lower one first"},
                     {"config.json", "/intervals/0/low/1", nullptr, "must be number"},
                     {"config.json", "/intervals", 3, "cannot use at()"},
                     {"config.json", "/intervals", kTakenOut, "intervals"},
                     {"config.json", "/model", "mlpp", "did you mean \"mlp\"?"},
                     {"config.json", "/model", {{"type", "mlp"}, {"hidden", {10'000'000}}}, "larger than"},
                     {"config.json", "/model", {{"type", "mlp"}, {"hidden", {3}}}, "", "model.safetensors"},
                     {"preprocess.json", "/kind", "table", "kind"},
                     {"preprocess.json", "/options/values", Json::array(), "values"},
                     {"preprocess.json", "/options/horizon", -1, "horizon"},
                     {"preprocess.json", "/options/horizon", 4, "one for each of 4 periods", "config.json"},
                     {"preprocess.json", "/options/length", 8, "", "model.safetensors"},
                     {"preprocess.json", "/options/frequency", "moon", "frequency"},
                     {"preprocess.json", "/scales/0/scale", 0, "scale"},
                     {"preprocess.json", "/known_std", Json::array(), "known_std"},
                 },
                 [&] { Forecaster forecaster(directory_.path()); });
}

// So long a past that the model is shown a few series at a time: each gets its own answer.
TEST(Forecaster, AnswersForManySeriesAFewAtATime) {
  constexpr int64_t kLength = 100000;
  data::SeriesOptions options;
  options.time = "day";
  options.id = "at";
  options.values = {"rides"};
  options.length = kLength;
  options.season = 1;
  options.reference = "last";
  options.calendar = {"weekday", "year"};
  std::string csv = "day,at,rides\n";
  for (int s = 0; s < 4; ++s) {
    csv += fmt::format("{},s{},{}\n{},s{},{}\n{},s{},{}\n", day_text(0), s, s, day_text(kLength - 2), s, 10 * s, day_text(kLength - 1), s, 10 * s + 1);
  }
  const data::Table table = data::parse_csv(csv, "long.csv");
  const data::Panel panel = data::read_series(table, [&] {
    data::SeriesOptions daily = options;
    daily.frequency = "day";
    return daily;
  }());
  const auto preprocess = data::SeriesPreprocess::fit(panel, data::resolve_series_options(options, panel.frequency), kLength);
  const TemporaryDirectory directory;
  write_forecaster(directory.path(), {.name = "long", .notice = "", .missing = {}, .model = models::parse_model("logistic").resolved, .bands = {}}, *first_number(preprocess, 1), preprocess);
  const std::vector<Forecast> forecasts = Forecaster(directory.path()).forecast(table);
  ASSERT_EQ(forecasts.size(), 4u);
  for (size_t s = 0; s < 4; ++s) {
    EXPECT_EQ(forecasts[s].series, fmt::format("s{}", s));
    EXPECT_NEAR(forecasts[s].steps[0].value, static_cast<double>(s), 1e-4) << "its last value, and what its first one is less than that";
  }
}

}  // namespace
}  // namespace danlu::infer
