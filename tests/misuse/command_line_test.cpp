// The words of the command line: exit codes, and one line that says what is wrong.
#include "tests/misuse/refusal.h"
#include "tests/samples.h"

namespace danlu::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class CommandLine : public testing::Test {
 protected:
  CommandLine() { project_.write("points.csv", points_csv(40)); }
  void expect_usage_error(const Words& arguments, const Words& words) {
    expect_refused(project_, arguments, kUsage, words);
  }
  Project project_;
};

TEST_F(CommandLine, VersionAndHelpSucceed) {
  const Outcome version = project_.danlu({"--version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_THAT(version.out, StartsWith("danlu "));
  const Outcome help = project_.danlu({"--help"});
  EXPECT_EQ(help.code, 0);
  for (const char* verb :
       {"run", "check", "prepare", "train", "verify", "lr-range", "tune", "evaluate", "report", "predict", "explain", "generate", "tokenize", "import", "export", "serve", "runs", "doctor", "init"}) {
    EXPECT_THAT(help.out, HasSubstr(verb));
    EXPECT_EQ(project_.danlu({verb, "--help"}).code, 0) << verb;
  }
  const Outcome bare = project_.danlu({});
  EXPECT_EQ(bare.code, kUsage);
  EXPECT_THAT(bare.out, HasSubstr("predict"));
}

TEST_F(CommandLine, WrongWords) {
  expect_usage_error({"rum"}, {"got verb \"rum\"", "did you mean \"run\"?"});
  expect_usage_error({"run"}, {"expected a recipe file, or --data FILE --target COLUMN"});
  expect_usage_error({"run", "--data"}, {"--data"});
  expect_usage_error({"run", "--dat", "x"}, {"--dat", "danlu run --help"});
  expect_usage_error({"run", "a.yaml", "b.yaml"}, {"got two recipes, a.yaml and b.yaml"});
  expect_usage_error({"run", "a.yaml", "--data", "points.csv"}, {"got a recipe, and --data or --target"});
  expect_usage_error({"run", "a.yaml", "--threads", "many"}, {"--threads"});
  expect_usage_error({"run", "a.yaml", "--log", "xml"}, {"--log"});
  expect_usage_error({"train"}, {"run is required"});
  expect_usage_error({"predict", "x"}, {"expected at least one file"});
  expect_usage_error({"predict", "x", "points.csv", "-o", "a.xml"}, {"a.xml; expected a name that ends in .csv"});
  expect_usage_error({"generate"}, {"run is required"});
  expect_usage_error({"generate", "x", "--top-p", "2"}, {"top_p: got 2; expected a number in [0, 1]"});
  expect_usage_error({"generate", "x", "--max-tokens", "-1"}, {"max_tokens: got -1"});
  expect_usage_error({"tokenize"}, {"tokenizer is required"});
  expect_usage_error({"serve"}, {"expected at least one run or bundle"});
  expect_usage_error({"serve", "x", "--port", "99999"}, {"port: got 99999; expected a number in [0, 65535]"});
  expect_usage_error({"runs", "shw"}, {"got \"shw\"", "did you mean \"show\"?"});
  expect_usage_error({"runs", "show"}, {"show: got 0 names; expected one"});
  expect_usage_error({"runs", "compare", "a"}, {"compare: got 1 names; expected two or more"});
}

TEST_F(CommandLine, WhatIsNotThere) {
  expect_refused(project_, {"run", "absent.yaml"}, kFailed, {"absent.yaml", "No such file"});
  for (const char* verb : {"train", "evaluate", "serve"}) {
    expect_refused(project_, {verb, "absent"}, kFailed, {"got run \"absent\"; there are no runs in runs"});
  }
  expect_refused(project_, {"predict", "absent", "points.csv"}, kFailed, {"got run \"absent\""});
  expect_refused(project_, {"generate", "absent", "--prompt", "x"}, kFailed, {"got run \"absent\""});
  expect_refused(project_, {"tokenize", "absent", "x"}, kFailed, {"got run \"absent\""});
  expect_refused(project_, {"runs", "rm", "absent"}, kFailed, {"got run \"absent\""});
}

TEST_F(CommandLine, StagesInTheWrongOrder) {
  ASSERT_EQ(project_.danlu({"prepare", "--data", "points.csv", "--target", "kind"}).code, 0);
  expect_refused(project_, {"predict", "points", "points.csv"}, kFailed,
                 {"got runs/points/bundle; expected a bundle or a finished run", "danlu run"});
  expect_refused(project_, {"serve", "points"}, kFailed,
                 {"got runs/points/bundle; expected a bundle or a finished run", "danlu run"});
  const Outcome evaluate = project_.danlu({"evaluate", "points"});
  EXPECT_EQ(evaluate.code, kFailed);
  EXPECT_THAT(evaluate.err, HasSubstr("runs/points has no checkpoint yet; train it first: danlu train runs/points"));
  EXPECT_EQ(project_.danlu({"train", "points"}).code, 0) << "which helps";
}

TEST_F(CommandLine, InitMakesAProjectThatNeedsOnlyData) {
  EXPECT_EQ(project_.danlu({"init", "project"}).code, 0);
  project_.write("project/data/train.csv", points_csv(40));
  const Outcome outcome =
      project_.danlu({"check", "project/recipe.yaml", "data.source=points.csv", "data.target=kind"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  expect_usage_error({"init", "project"}, {"project/recipe.yaml is there already"});
}

}  // namespace
}  // namespace danlu::test
