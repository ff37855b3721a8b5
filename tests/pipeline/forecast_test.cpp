// Series from the file to the served forecast, by every model that takes them.
#include <gmock/gmock.h>

#include <array>
#include <chrono>
#include <cmath>
#include <map>
#include <numbers>
#include <sstream>

#include "danlu/base/json.h"
#include "danlu/base/rng.h"
#include "tests/client.h"
#include "tests/misuse/refusal.h"
#include "tests/program.h"
#include "tests/same_weights.h"

namespace danlu::test {
namespace {

using testing::HasSubstr;

// Days of 2021 and on, as SQL's calendar has them.
std::string day_text(int64_t day) {
  const std::chrono::year_month_day date = std::chrono::sys_days(std::chrono::year(2021) / 1 / 1) + std::chrono::days(day);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

// Two stations with a week, a slow wave that the week before does not know, and sales days that are announced. Some days are missing, and
// some have no value.
std::string rides_csv(int64_t days, int64_t known_ahead = 0) {
  Rng rng(4);
  std::string csv = "day,station,rides,sale\n";
  for (int64_t day = 0; day < days + known_ahead; ++day) {
    const double week = std::array{10, 12, 12, 11, 14, 5, 3}[static_cast<size_t>(day % 7)], wave = 3 * std::sin(2 * std::numbers::pi * static_cast<double>(day) / 40);
    const bool sale = rng.below(6) == 0;
    if (day % 31 == 11 && day < days) continue;
    for (const auto& [station, size] : {std::pair("north", 1.0), std::pair("south", 20.0)}) {
      const double rides = size * (week + wave + (sale ? 6 : 0) + 0.3 * rng.normal());
      csv += fmt::format("{},{},{},{}\n", day_text(day), station, day >= days || day % 23 == 5 ? "NA" : fmt::format("{:.2f}", rides), sale ? 1 : 0);
    }
  }
  return csv;
}

constexpr int64_t kDays = 600;

const char* const kRecipe = R"(
data:
  source: rides.csv
  series: {time: day, id: station, values: rides, known: sale, horizon: 7, length: 28}
  split: {validation: 0.15, test: 0.2}
)";

class ForecastRuns : public testing::TestWithParam<const char*> {
 protected:
  ForecastRuns() {
    project_.write("rides.csv", rides_csv(kDays));
    project_.write("rides.yaml", std::string(kRecipe) + GetParam() + "\n");
  }
  Project project_;
};

TEST_P(ForecastRuns, FromTheFileToTheServedAnswer) {
  const Outcome run = project_.danlu({"run", "rides.yaml"});
  ASSERT_EQ(run.code, 0) << run;
  const Json report = read_json(project_.run("rides").file("report.json"));
  EXPECT_GT(report["metrics"]["skill"]["value"].get<double>(), 0.2) << run;
  EXPECT_GT(report["baselines"]["seasonal naive"]["gain"]["interval"][0].get<double>(), 0) << "and not by chance";
  EXPECT_LT(report["metrics"]["rmse"]["value"].get<double>(), report["baselines"]["naive"]["metrics"]["rmse"]["value"].get<double>());
  EXPECT_NEAR(report["intervals"][0]["held"].get<double>(), 0.8, 0.2);
  EXPECT_EQ(report["rmse_by_step"].size(), 7u);
  const std::string page = project_.read("runs/rides/report.html"), card = project_.read("runs/rides/bundle/card.md");
  for (const char* words : {"Beside the naive forecasts", "What it foretold", "Error by distance", "How well its intervals hold"}) EXPECT_THAT(page, HasSubstr(words));
  for (const char* words : {"## Beside seasonal naive", "## Beside naive", "## Intervals"}) EXPECT_THAT(card, HasSubstr(words));
  const Json forecasts = read_json(project_.run("rides").file("forecasts.json"));
  EXPECT_EQ(forecasts["forecasts"].size(), 7 * forecasts["origins"].size());

  project_.write("next.csv", rides_csv(kDays, 9));
  const Outcome predicted = project_.danlu({"predict", "rides", "next.csv", "--horizon", "5"});
  ASSERT_EQ(predicted.code, 0) << predicted;
  const Json north = json_lines(predicted.out).front();
  EXPECT_EQ(north["series"], "north");
  ASSERT_EQ(north["forecast"].size(), 5u);
  EXPECT_EQ(north["forecast"][0]["time"], day_text(kDays));
  EXPECT_LT(north["forecast"][0]["intervals"][0]["low"].get<double>(), north["forecast"][0]["intervals"][0]["high"].get<double>());
  ASSERT_EQ(project_.danlu({"predict", "rides", "next.csv", "-o", "next_week.csv"}).code, 0);
  EXPECT_THAT(project_.read("next_week.csv"), testing::StartsWith("series,time,value,low_80,high_80,low_95,high_95\nnorth," + day_text(kDays) + ","));

  // The same history as rows of a question.
  Json rows = Json::array();
  std::istringstream csv(project_.read("next.csv"));
  std::string line, cell;
  std::getline(csv, line);
  while (std::getline(csv, line)) {
    std::istringstream cells(line);
    std::vector<std::string> parts;
    while (std::getline(cells, cell, ',')) parts.push_back(cell);
    rows.push_back({{"day", parts[0]}, {"station", parts[1]}, {"rides", parts[2] == "NA" ? Json(nullptr) : Json(std::stod(parts[2]))}, {"sale", std::stoi(parts[3])}});
  }
  const ServedModels server(project_, {"rides"});
  const Json question = {{"rows", rows}, {"horizon", 5}};
  const Json answer = post(server.port(), question.dump(), "application/json", "/v1/forecast").json();
  EXPECT_EQ(answer["model"], "rides");
  ASSERT_EQ(answer["forecasts"].size(), 2u) << answer.dump();
  EXPECT_EQ(answer["forecasts"][0], north) << "predict and serve say the same";
  const auto example = post(server.port(), project_.read("runs/rides/example_request.json"), "application/json", "/v1/forecast");
  EXPECT_EQ(example.status, 200) << example.body;
}

// Of what the recipe's data are made of, sales are announced and nothing but their column tells of them.
TEST_P(ForecastRuns, WhatItsForecastsComeFrom) {
  const Outcome run = project_.danlu({"run", "rides.yaml"});
  ASSERT_EQ(run.code, 0) << run;
  const Json importance = read_json(project_.run("rides").file("explanation.json"))["importance"];
  std::map<std::string, Json> worth;
  for (const Json& column : importance["columns"]) worth[column["column"]] = column;
  EXPECT_GE(importance["columns"][0]["importance"].get<double>(), importance["columns"][1]["importance"].get<double>()) << "most first";
  EXPECT_GT(worth["sale"]["importance"].get<double>(), importance["value"].get<double>() / 2) << importance.dump();
  ASSERT_EQ(worth["sale"]["by_step"].size(), 7u);
  for (const Json& step : worth["sale"]["by_step"]) EXPECT_GT(step.get<double>(), worth["time of year"]["importance"].get<double>());
  EXPECT_TRUE(worth.contains("values 3 to 4 before"));
  for (const char* words : {"What the columns are worth", "Worth by distance", "value a season before"}) EXPECT_THAT(project_.read("runs/rides/report.html"), HasSubstr(words));
  EXPECT_THAT(project_.read("runs/rides/bundle/card.md"), HasSubstr("1 ahead +"));
  EXPECT_THAT(project_.danlu({"explain", "rides"}).out, HasSubstr("7 ahead +"));

  project_.write("next.csv", rides_csv(kDays, 9));
  const Outcome explained = project_.danlu({"explain", "rides", "next.csv"});
  ASSERT_EQ(explained.code, 0) << explained;
  const std::vector<Json> said = json_lines(explained.out);
  ASSERT_EQ(said.size(), 2u);
  EXPECT_EQ(said[0]["forecast"], json_lines(project_.danlu({"predict", "rides", "next.csv"}).out)[0]["forecast"]);
  EXPECT_EQ(said[0]["explanation"]["influences"].size(), worth.size());
  ASSERT_EQ(project_.danlu({"explain", "rides", "next.csv", "-o", "why.html"}).code, 0);
  EXPECT_THAT(project_.read("why.html"), HasSubstr("<h3>south</h3>"));
}

TEST_P(ForecastRuns, TheSameWeightsForOneAndTwoThreadsAndAfterAnInterruption) {
  expect_same_weights(project_, {"run", "rides.yaml", "train.epochs=6", "train.save_every=1"}, "rides");
}

INSTANTIATE_TEST_SUITE_P(Models, ForecastRuns,
                         testing::Values("model: {type: mlp, hidden: [32], members: 2}\ntrain: {epochs: 30, batch_size: 32, optimizer: {type: adamw, lr: 3e-3}}",
                                         "model: {type: mlp, hidden: []}\ntrain: {epochs: 30, batch_size: 32, optimizer: {type: adamw, lr: 3e-3}}",
                                         "model: {type: lstm, hidden: 24, layers: 2, pooling: last, dropout: 0}\ntrain: {epochs: 30, batch_size: 32, optimizer: {type: adamw, lr: 1e-2}}",
                                         "model: {type: gru, hidden: 24, layers: 2, pooling: last, dropout: 0}\ntrain: {epochs: 30, batch_size: 32, optimizer: {type: adamw, lr: 1e-2}}"));

TEST(ForecastRecipes, AreDerivedWhereTheyLeaveThingsOpen) {
  const Project project;
  project.write("rides.csv", rides_csv(kDays));
  project.write("r.yaml", "data: {source: rides.csv, series: {time: day, id: station, values: rides}}\ntrain: {epochs: 1}\nevaluate: {gates: {skill: 0.999}}\n");
  const Outcome run = project.danlu({"run", "r.yaml"});
  EXPECT_EQ(run.code, 3) << "a gate that nothing reaches\n" << run;
  const std::string resolved = project.read("runs/r/resolved.yaml");
  for (const char* words : {"type: mlp", "season: 7", "length: 14", "frequency: day", "derived"}) EXPECT_THAT(resolved, HasSubstr(words));
  project.write("again.yaml", resolved);
  const Outcome again = project.danlu({"check", "again.yaml"});
  EXPECT_EQ(again.code, 0) << again;
  EXPECT_EQ(project.danlu({"evaluate", "r"}).code, 3);
  EXPECT_EQ(project.danlu({"report", "r"}).code, 0);
}

TEST(ForecastRecipes, BadDataAndBadQuestionsAreRefused) {
  const Project project;
  const auto recipe = [&](const std::string& csv, const std::string& more = "") {
    project.write("rides.csv", csv);
    project.write("r.yaml", "data: {source: rides.csv, series: {time: day, values: rides, horizon: 3, length: 7" + more + "}}\nmodel: {type: mlp, hidden: []}\ntrain: {epochs: 1}\n");
  };
  const auto days = [](int64_t count, auto value) {
    std::string csv = "day,rides\n";
    for (int64_t day = 0; day < count; ++day) csv += fmt::format("{},{}\n", day_text(day), value(day));
    return csv;
  };
  const auto weekly = [](int64_t day) { return std::to_string(10 + day % 7 + day % 3); };
  recipe(days(12, weekly));
  expect_refused(project, {"run", "r.yaml"}, kFailed, {"training part has", "of 12 periods", "a window of 7 to look at and 3 to foretell"});
  recipe(days(100, [](int64_t) { return std::string("5"); }));
  expect_refused(project, {"run", "r.yaml"}, kFailed, {"\"rides\" never changes", "it is 5 throughout"});
  recipe(days(100, weekly) + day_text(3) + ",9\n");
  expect_refused(project, {"run", "r.yaml"}, kFailed, {"rides.csv:102 column \"day\"", day_text(3) + " a second time", "line 5"});
  recipe(days(100, [&](int64_t day) { return day == 50 ? "nan" : weekly(day); }));
  expect_refused(project, {"run", "r.yaml"}, kFailed, {"rides.csv:52 column \"rides\"", "a finite number"});
  recipe(days(100, [&](int64_t day) { return day == 50 ? "" : weekly(day); }), ", gaps: error");
  expect_refused(project, {"run", "r.yaml"}, kFailed, {"no value for " + day_text(50)});
  recipe(days(100, weekly));
  expect_refused(project, {"run", "r.yaml", "data.series.values=ridez"}, kFailed, {"ridez", "did you mean \"rides\"?"});
  expect_refused(project, {"run", "r.yaml", "model=cnn"}, kUsage, {"cnn", "mlp, rnn, lstm, gru"});
  expect_refused(project, {"run", "r.yaml", "data.series.lags=[2]"}, kUsage, {"data.series.lags", "at least the horizon, 3"});
  expect_refused(project, {"run", "r.yaml", "data.series.frequency=weak"}, kUsage, {"weak", "did you mean \"week\"?"});
  expect_refused(project, {"run", "r.yaml", "data.target=rides"}, kUsage, {"data.target"});
  expect_refused(project, {"run", "r.yaml", "data.columns.rides.scale=log"}, kUsage, {"data.columns.rides: got {\"scale\":\"log\"}; expected none: a recipe of series does not read it"});
  expect_refused(project, {"run", "r.yaml", "data.series.values=[]"}, kUsage, {"data.series.values"});
  expect_refused(project, {"run", "r.yaml", "evaluate.gates={rmze: 1}"}, kUsage, {"rmze", "did you mean \"rmse\"?"});
  EXPECT_FALSE(fs::exists(project / "runs" / "r"));

  // Rows in another order are the same series.
  std::string shuffled = days(100, weekly);
  shuffled = "day,rides\n" + shuffled.substr(shuffled.find('\n', 200) + 1) + shuffled.substr(10, shuffled.find('\n', 200) - 9);
  recipe(shuffled);
  const Outcome run = project.danlu({"run", "r.yaml"});
  ASSERT_EQ(run.code, 0) << run;
  EXPECT_THAT(project.read("runs/r/data_report.txt"), HasSubstr("put in order of time"));

  project.write("short.csv", days(4, weekly));
  expect_refused(project, {"predict", "r", "short.csv"}, kFailed, {"\"rides\": got 4 periods", "at least 7"});
  project.write("full.csv", days(30, weekly));
  expect_refused(project, {"predict", "r", "full.csv", "--horizon", "4"}, kFailed, {"horizon: got 4; expected 1 to 3"});
  const ServedModels server(project, {"r"});
  const auto refused = [&](const std::string& question, int status, const char* words) {
    const auto answer = post(server.port(), question, "application/json", "/v1/forecast");
    EXPECT_EQ(answer.status, status) << answer.body;
    EXPECT_THAT(answer.body, HasSubstr(words));
  };
  refused(R"({"rows": []})", 400, "expected the history");
  refused(R"({"rows": [{"day": "2021-01-01", "rides": 1}, {"day": "2021-01-02", "rides": 2}]})", 422, "got 2 periods");
  refused(R"({"rows": [{"day": "2021-01-01", "rides": "many"}, {"day": "2021-01-02", "rides": 2}]})", 422, "request row 1");
  refused(R"({"rows": [{"day": "2021-01-01"}]})", 422, "rides");
  refused(R"({"rows": [{"day": "2021-01-01", "rides": 1}], "horizon": 4})", 400, "horizon");
  refused(R"({"model": "q", "rows": [{"day": "2021-01-01", "rides": 1}]})", 404, "there is no model");
}

TEST(ForecastRecipes, WhatIsKnownInAdvanceHasToBeKnown) {
  const Project project;
  project.write("rides.csv", rides_csv(kDays));
  project.write("rides.yaml", std::string(kRecipe) + "model: {type: mlp, hidden: []}\ntrain: {epochs: 1}\n");
  ASSERT_EQ(project.danlu({"run", "rides.yaml"}).code, 0);
  expect_refused(project, {"predict", "rides", "rides.csv"}, kFailed, {"series \"north\": got no \"sale\" for " + day_text(kDays), "rows behind the last value"});
}

}  // namespace
}  // namespace danlu::test
