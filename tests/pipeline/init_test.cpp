// danlu init TRADE: each trade's recipe, on small data of the user's own, to a bundle.
#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "danlu/app/init/trade.h"
#include "danlu/app/recipe/yaml.h"
#include "tests/misuse/refusal.h"
#include "tests/samples.h"

namespace danlu::test {
namespace {

using testing::HasSubstr;

// What a user of each trade may have, in the form that the README asks for.
std::string own_csv(const std::string& trade) {
  Rng rng(6);
  std::string csv;
  if (trade == "medical" || trade == "credit") {
    csv = trade == "medical" ? "age,pressure,smoker,diagnosis\n" : "age,amount,job,class\n";
    for (int i = 0; i < 160; ++i) {
      const bool risk = rng.below(3) == 0;
      csv += fmt::format("{:.1f},{:.2f},{},{}\n", 50 + 8 * rng.normal() + (risk ? 15 : 0), rng.normal() + (risk ? 1.5f : 0), rng.below(2) == 0 ? "yes" : "no",
                         trade == "medical" ? (risk ? "malignant" : "benign") : (risk ? "bad" : "good"));
    }
  } else if (trade == "recommendation") {
    csv = "user,item,rating,timestamp,title,genres\n";
    for (int user = 0; user < 40; ++user) {
      for (int i = 0; i < 12; ++i) {
        const int64_t item = 2 * rng.below(20) + user % 2;
        csv += fmt::format("{},{},{},{},film {},{}\n", user, item, 1 + rng.below(5), 1000 * user + i, item, item % 2 == 0 ? "drama" : "comedy");
      }
    }
  } else if (trade == "forecast") {
    csv = "date,co2\n";
    for (int week = 0; week < 400; ++week) {
      const std::chrono::year_month_day date = std::chrono::sys_days(std::chrono::year(2015) / 1 / 3) + std::chrono::days(7 * week);
      csv += fmt::format("{:04}-{:02}-{:02},{:.2f}\n", static_cast<int>(date.year()), static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                         0.05 * week + 3 * std::sin(0.1204 * week) + 0.2 * rng.normal());
    }
  } else if (trade == "customer-service") {
    csv = "question,answer\n";
    for (int i = 0; i < 30; ++i) csv += fmt::format("How do I order item {0} of the list?,Take form {0} and send it in.\nordering item {0},Take form {0} and send it in.\n", i);
  } else if (trade == "sentiment") {
    csv = "review,score\n";
    for (int i = 0; i < 200; ++i) csv += fmt::format("{} {} number {},{}\n", i % 3 == 0 ? "stale" : "lovely", rng.below(2) == 0 ? "tea" : "bread", i, i % 3 == 0 ? "other" : "great");
  } else if (trade == "text-classification") {
    csv = "text,section\n";
    constexpr const char* kWords[][2] = {{"compiler", "debugger"}, {"game", "puzzle"}, {"font", "glyph"}};
    constexpr const char* kSections[] = {"devel", "games", "fonts"};
    for (int i = 0; i < 240; ++i) {
      const auto k = static_cast<size_t>(rng.below(3));
      csv += fmt::format("a {} and {} number {},{}\n", kWords[k][rng.below(2)], kWords[k][rng.below(2)], i, kSections[k]);
    }
  }
  return csv;
}

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const app::Trade& trade : app::trades()) all.emplace_back(trade.name);
  return all;
}

class Trades : public testing::TestWithParam<std::string> {};

TEST_P(Trades, FromInitToABundleOnOnesOwnData) {
  const std::string trade = GetParam();
  const Project project;
  const Outcome made = project.danlu({"init", trade});
  ASSERT_EQ(made.code, 0) << made;
  EXPECT_THAT(project.read(trade + "/README.md"), HasSubstr("danlu run recipe.yaml"));
  const std::string recipe = project.read(trade + "/recipe.yaml");
  EXPECT_EQ(recipe.find("the column of the text") != std::string::npos, app::parse_yaml(recipe, "recipe").json.contains(Json::json_pointer("/data/text/column"))) << recipe;
  expect_refused(project, {"init", trade}, kUsage, {"recipe.yaml is there already"});

  const std::string csv = own_csv(trade);
  if (!csv.empty()) project.write(trade + "/data/train.csv", csv);
  else if (trade.starts_with("image-")) write_squares(project / trade / "data", 60);
  else FAIL() << "no data for " << trade << ": make some in own_csv()";
  if (trade == "customer-service") project.write(trade + "/data/off_topic.csv", "question\nWhat is the weather like?\nWho won the match?\nWhen does the museum open?\nIs it far?\n");
  // In its own directory, as the README says; fewer epochs than the recipe has, and no cross-validation.
  Process run(DANLU_PROGRAM, {"run", "recipe.yaml", "train.epochs=2", "evaluate.kfold.folds=0"}, project / trade);
  const Outcome outcome = run.wait();
  ASSERT_EQ(outcome.code, 0) << outcome;
  for (const char* file : {"bundle/config.json", "bundle/card.md", "report.html"}) EXPECT_TRUE(fs::exists(project / trade / "runs" / trade / file)) << file;
}

INSTANTIATE_TEST_SUITE_P(All, Trades, testing::ValuesIn(names()), [](const auto& of) {
  std::string name = of.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(Init, KnowsItsTrades) {
  const Project project;
  const Outcome bare = project.danlu({"init"});
  EXPECT_EQ(bare.code, 0) << bare;
  for (const std::string& name : names()) EXPECT_THAT(bare.out + bare.err, HasSubstr(name));
  EXPECT_TRUE(fs::exists(project / "recipe.yaml"));
  expect_refused(project, {"init", "medcal"}, kUsage, {"got the trade \"medcal\"", "did you mean \"medical\"?"});
  expect_refused(project, {"init", "alchemy", "gold"}, kUsage, {"got the trade \"alchemy\"; expected one of", "medical"});
  EXPECT_EQ(project.danlu({"init", "medical", "clinic"}).code, 0);
  EXPECT_THAT(project.read("clinic/recipe.yaml"), HasSubstr("name: medical"));
}

}  // namespace
}  // namespace danlu::test
