// The command line: exit codes, and one line that says what is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "danlu/base/json.h"
#include "tests/misuse/program.h"

namespace danlu {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class CommandLine : public testing::Test {
 protected:
  CommandLine() { work_.write("small.csv", small_csv()); }

  void expect_usage_error(const std::vector<std::string>& arguments, const std::string& words) {
    const Outcome outcome = work_.danlu(arguments);
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    EXPECT_THAT(outcome.err, StartsWith("danlu: ["));
    EXPECT_THAT(outcome.err, HasSubstr(words));
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_EQ(work_.files_of_runs(), std::vector<std::string>());
  }

  Workplace work_;
};

TEST_F(CommandLine, VersionAndHelpSucceed) {
  EXPECT_THAT(work_.danlu({"--version"}).out, StartsWith("danlu "));
  EXPECT_EQ(work_.danlu({"--version"}).code, 0);
  const Outcome help = work_.danlu({"--help"});
  EXPECT_EQ(help.code, 0);
  for (const char* verb :
       {"run", "check", "prepare", "train", "evaluate", "predict", "serve", "runs", "doctor", "init"}) {
    EXPECT_THAT(help.out, HasSubstr(verb));
    EXPECT_EQ(work_.danlu({verb, "--help"}).code, 0) << verb;
  }
  EXPECT_EQ(work_.danlu({}).code, 2);
}

TEST_F(CommandLine, WrongWords) {
  expect_usage_error({"trian"}, "did you mean \"train\"?");
  expect_usage_error({"run"}, "expected a recipe file, or --data FILE --target COLUMN");
  expect_usage_error({"run", "--data"}, "--data");
  expect_usage_error({"run", "--dta", "small.csv"}, "--dta");
  expect_usage_error({"run", "a.yaml", "b.yaml"}, "got two recipes, a.yaml and b.yaml");
  expect_usage_error({"run", "a.yaml", "--data", "small.csv"}, "got a recipe, and --data");
  expect_usage_error({"run", "--data", "small.csv"}, "data.target is missing");
  expect_usage_error({"run", "--data", "small.csv", "--target", "kind", "--log", "xml"}, "--log");
  expect_usage_error({"run", "--data", "small.csv", "--target", "kind", "--threads", "many"}, "--threads");
  expect_usage_error({"run", "--data", "small.csv", "--target", "kind", "train.epoch=3"}, "did you mean \"epochs\"?");
  expect_usage_error({"run", "--data", "small.csv", "--target", "kind", "--name", "../escape"}, "expected a word");
  expect_usage_error({"serve"}, "expected at least one run");
  expect_usage_error({"serve", "x", "--port", "99999"}, "port: got 99999; expected a number in [0, 65535]");
  expect_usage_error({"runs", "shwo"}, "did you mean \"show\"?");
  expect_usage_error({"runs", "compare", "a"}, "got 1 names; expected two");
  expect_usage_error({"predict", "x"}, "expected at least one file");
}

TEST_F(CommandLine, WhatIsNotThere) {
  const Outcome recipe = work_.danlu({"run", "absent.yaml"});
  EXPECT_EQ(recipe.code, 1);
  EXPECT_THAT(recipe.err, HasSubstr("absent.yaml"));
  const Outcome data = work_.danlu({"run", "--data", "absent.csv", "--target", "y"});
  EXPECT_EQ(data.code, 1);
  EXPECT_THAT(data.err, HasSubstr("there is no absent.csv"));
  const Outcome run = work_.danlu({"train", "absent"});
  EXPECT_EQ(run.code, 1);
  EXPECT_THAT(run.err, HasSubstr("got run \"absent\"; there are no runs in runs"));
  EXPECT_EQ(work_.files_of_runs(), std::vector<std::string>());
}

TEST_F(CommandLine, ARecipeIsReadStrictly) {
  work_.write("r.yaml", "data: {source: small.csv, target: kind}\ntrain:\n  epochs: 2\n  lerning_rate: 3\n");
  expect_usage_error({"run", "r.yaml"}, "r.yaml:4: unknown key \"train.lerning_rate\"");
  work_.write("r.yaml", "data: {source: small.csv, target: kind}\ntrain:\n  epochs: two\n");
  expect_usage_error({"check", "r.yaml"}, "r.yaml:3: train.epochs: got \"two\"; expected a number");
  work_.write("r.yaml", "data: {source: small.csv, target: kind\n");
  expect_usage_error({"run", "r.yaml"}, "r.yaml:");
  work_.write("r.yaml",
              "data: {source: small.csv, target: kind}\nevaluate: {metrics: [acuracy]}\ntrain: {epochs: 1}\n");
  expect_usage_error({"run", "r.yaml"}, "did you mean \"accuracy\"?");
}

TEST_F(CommandLine, CheckWritesNothing) {
  const Outcome outcome = work_.danlu({"check", "--data", "small.csv", "--target", "kind", "--resolved"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("# derived: a small perceptron"));
  EXPECT_THAT(outcome.out, HasSubstr("the recipe is sound"));
  EXPECT_FALSE(fs::exists(work_ / "runs"));
}

TEST_F(CommandLine, ARunWithoutARecipe) {
  const Outcome outcome = work_.danlu({"run", "--data", "small.csv", "--target", "kind", "train.epochs=3"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("Accuracy"));
  EXPECT_THAT(read_file(work_ / "runs/small/resolved.yaml"), HasSubstr("# derived: a small perceptron"));
  EXPECT_THAT(work_.danlu({"runs"}).out, HasSubstr("finished"));
  EXPECT_THAT(work_.danlu({"runs", "compare", "small", "runs/small"}).out, HasSubstr("options that differ\n  none"));
  EXPECT_EQ(work_.danlu({"runs", "remove", "small"}).code, 0);
  EXPECT_FALSE(fs::exists(work_ / "runs/small"));
}

TEST_F(CommandLine, JsonIsALineEach) {
  const Outcome outcome =
      work_.danlu({"run", "--data", "small.csv", "--target", "kind", "train.epochs=3", "--log", "json"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  std::vector<std::string> events;
  for (size_t begin = 0; begin < outcome.out.size();) {
    const size_t end = outcome.out.find('\n', begin);
    events.push_back(parse_json(outcome.out.substr(begin, end - begin), "line").at("event"));
    begin = end + 1;
  }
  for (const char* event : {"stage", "report", "epoch", "finished"}) {
    EXPECT_NE(std::find(events.begin(), events.end(), event), events.end()) << event;
  }
  const Outcome quiet = work_.danlu({"run", "--data", "small.csv", "--target", "kind", "train.epochs=3", "--quiet"});
  EXPECT_EQ(quiet.out + quiet.err, "");
}

TEST_F(CommandLine, InitMakesAProjectThatNeedsOnlyData) {
  EXPECT_EQ(work_.danlu({"init", "project"}).code, 0);
  EXPECT_EQ(work_.danlu({"init", "project"}).code, 2) << "nothing is overwritten";
  work_.write("project/data/train.csv", "size,label\n1,a\n9,b\n");
  const Outcome outcome = work_.danlu({"check", "project/recipe.yaml", "data.source=small.csv", "data.target=kind"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
}

}  // namespace
}  // namespace danlu
