// The verbs one by one: the same stages give the same run, a run says how it came about, and runs are looked after.
#include <gmock/gmock.h>

#include <set>
#include <sstream>

#include "danlu/app/recipe/yaml.h"
#include "danlu/base/json.h"
#include "tests/program.h"
#include "tests/samples.h"

namespace danlu::test {
namespace {

using testing::HasSubstr;

class Stages : public testing::Test {
 protected:
  Stages() { project_.write("points.csv", points_csv(120)); }

  void expect_ok(const Words& words, const Words& environment = {}) {
    const Outcome outcome = project_.danlu(words, environment);
    ASSERT_EQ(outcome.code, 0) << outcome;
  }
  // With --name NAME and a training of a moment.
  void expect_run(const std::string& name, const Words& more = {}) {
    Words words = {"run", "--data", "points.csv", "--target", "kind", "--name", name, "train.epochs=3"};
    words.insert(words.end(), more.begin(), more.end());
    expect_ok(words);
  }
  std::string weights_hash(const std::string& run) const {
    return project_.run(run).info()["training"]["weights_hash"];
  }
  // What evaluation found, without how quickly.
  Json report(const std::string& run) const {
    Json json = read_json(project_.run(run).file("report.json"));
    for (const char* key : {"samples_per_second", "latency", "cost"}) json.erase(key);
    return json;
  }

  Project project_;
};

TEST_F(Stages, OneByOneAreTheRun) {
  expect_run("whole");
  expect_ok({"prepare", "--data", "points.csv", "--target", "kind", "--name", "steps", "train.epochs=3"});
  EXPECT_EQ(project_.run("steps").status(), "prepared");
  expect_ok({"train", "steps"});
  EXPECT_EQ(project_.run("steps").status(), "trained");
  expect_ok({"evaluate", "runs/steps"});
  EXPECT_EQ(project_.run("steps").status(), "finished");
  EXPECT_EQ(weights_hash("steps"), weights_hash("whole"));
  EXPECT_EQ(report("steps"), report("whole"));
  EXPECT_EQ(project_.read("runs/steps/bundle/model.safetensors"), project_.read("runs/whole/bundle/model.safetensors"));
  EXPECT_EQ(project_.read("runs/steps/bundle/preprocess.json"), project_.read("runs/whole/bundle/preprocess.json"));
}

TEST_F(Stages, TrainingAgainGivesTheSameWeightsAndNothingStale) {
  expect_run("points");
  const std::string hash = weights_hash("points");
  expect_ok({"train", "points"});
  EXPECT_EQ(weights_hash("points"), hash);
  EXPECT_FALSE(fs::exists(project_.run("points").bundle()));
  EXPECT_FALSE(fs::exists(project_.run("points").file("report.json")));
}

TEST_F(Stages, ADeadlineLeavesNoTimeForFolds) {
  const Outcome run = project_.danlu({"run", "--data", "points.csv", "--target", "kind", "train.epochs=1e8", "train.early_stop=0", "evaluate.kfold.folds=3", "--deadline", "1s"});
  EXPECT_EQ(run.code, 0) << run;
  EXPECT_THAT(run.err, HasSubstr("danlu evaluate runs/points --kfold"));
  EXPECT_EQ(project_.run("points").info()["training"]["stopped_by"], "deadline");
}

TEST_F(Stages, AReportOfATrainingUnderWayIsReadAgainAndAgain) {
  const auto process = project_.start({"run", "--data", "points.csv", "--target", "kind", "train.epochs=1e8", "train.early_stop=0"});
  const fs::path page = project_.run("points").file("report.html");
  const Timer timer;
  while (!fs::exists(page) && timer.seconds() < kPatience_s) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_GT(timer.seconds(), 4) << "a training that is over in a moment has none";
  ASSERT_TRUE(fs::exists(page));
  EXPECT_THAT(read_file(page), HasSubstr("http-equiv=\"refresh\""));
  process->signal(SIGTERM);
  process->wait();
  expect_ok({"evaluate", "points"});
  EXPECT_THAT(read_file(page), Not(HasSubstr("http-equiv=\"refresh\"")));
}

TEST_F(Stages, ALearningRateIsFoundWithoutTouchingTheRun) {
  expect_run("points");
  const auto before = project_.files("runs/points");
  const Outcome found = project_.danlu({"lr-range", "points", "--steps", "150", "--html", "rates.html", "--log", "json"});
  ASSERT_EQ(found.code, 0) << found;
  const Json answer = parse_json(found.out.substr(found.out.rfind("{\"event\"")), "answer");
  EXPECT_GT(answer["points"].size(), 20u);
  EXPECT_GT(answer["suggested"].get<double>(), 1e-6);
  EXPECT_LT(answer["suggested"].get<double>(), 1);
  EXPECT_THAT(project_.read("rates.html"), HasSubstr("<polyline"));
  EXPECT_TRUE(project_.files("runs/points") == before);
  EXPECT_EQ(project_.danlu({"lr-range", "points", "--from", "1", "--to", "0.1"}).code, 2);
}

TEST_F(Stages, VerifyTrainsAgainAndCompares) {
  expect_run("points");
  const auto before = project_.files("runs/points");
  const Outcome same = project_.danlu({"verify", "points"}, {"OMP_NUM_THREADS=2"});
  EXPECT_EQ(same.code, 0) << same;
  EXPECT_THAT(same.out, HasSubstr("runs/points: the same weights again, " + weights_hash("points")));
  EXPECT_EQ(project_.files("runs/points"), before) << "nothing is changed";
  Json training = project_.run("points").info()["training"];
  training["weights_hash"] = "another";
  project_.run("points").update({{"training", training}});
  const Outcome other = project_.danlu({"verify", "points"});
  EXPECT_EQ(other.code, 1) << other;
  EXPECT_THAT(other.out, HasSubstr("got other weights"));
}

TEST_F(Stages, ADeadlineEndsTheTraining) {
  expect_ok({"prepare", "--data", "points.csv", "--target", "kind", "train.epochs=1e9", "train.early_stop=0",
             "train.schedule={type: linear, end: 0}"});
  const Timer timer;
  expect_ok({"train", "points", "--deadline", "1.5s"});
  EXPECT_NEAR(timer.seconds(), 1.5, 0.5);
  const Json training = project_.run("points").info()["training"];
  EXPECT_EQ(training["stopped_by"], "deadline");
  std::string metrics = project_.read("runs/points/metrics.jsonl");
  metrics.pop_back();
  EXPECT_LT(Json::parse(metrics.substr(metrics.rfind('\n') + 1))["lr"].get<double>(), 1e-3 * 0.05);
  const Outcome verify = project_.danlu({"verify", "points"});
  EXPECT_EQ(verify.code, 2) << verify;
  EXPECT_THAT(verify.err, HasSubstr("was ended by the clock (deadline), which cannot be repeated"));
  const Outcome misuse = project_.danlu({"train", "points", "--deadline", "soon"});
  EXPECT_EQ(misuse.code, 2) << misuse;
  EXPECT_THAT(misuse.err, HasSubstr("--deadline: got \"soon\"; expected a time like 90s, 20m or 1.5h"));
}

TEST_F(Stages, AStoppedTrainingIsNotThrownAwayWithoutAWord) {
  expect_ok({"prepare", "--data", "points.csv", "--target", "kind", "train.epochs=1e9", "train.early_stop=0"});
  const auto process = project_.start({"train", "points"});
  const Timer timer;
  while (!fs::exists(project_.run("points").checkpoints() / "best.safetensors") && timer.seconds() < kPatience_s) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  process->signal(SIGINT);
  const Outcome stopped = process->wait();
  EXPECT_EQ(stopped.code, 1) << stopped;
  EXPECT_THAT(stopped.out, HasSubstr("and saved; go on: danlu train runs/points --resume"));
  const Outcome again = project_.danlu({"train", "points"});
  EXPECT_EQ(again.code, 2) << again;
  EXPECT_THAT(again.err, HasSubstr("was stopped and has a saved state; expected --resume to go on from it, or --fresh to begin again"));
  const Outcome resumed = project_.danlu({"train", "points", "--resume", "--deadline", "0.3s"});
  EXPECT_EQ(resumed.code, 0) << resumed;
  EXPECT_THAT(resumed.out, HasSubstr("goes on from step "));
}

TEST_F(Stages, AProfileSaysWhereTheTimeGoes) {
  expect_ok({"prepare", "--data", "points.csv", "--target", "kind", "train.epochs=20", "train.early_stop=0", "train.batch_size=16"});
  const Outcome outcome = project_.danlu({"train", "points", "--profile"});
  ASSERT_EQ(outcome.code, 0) << outcome;
  EXPECT_THAT(outcome.out, testing::AllOf(HasSubstr("20 updates of "), HasSubstr("GFLOP/s"), HasSubstr("optimizer")));
  EXPECT_EQ(project_.read("runs/points/profile.txt").substr(0, 14), "20 updates of ");
  const Json profile = read_json(project_.run("points").file("profile.json"));
  double sum = 0;
  for (const Json& row : profile["operations"]) sum += row["us"].get<double>();
  EXPECT_NEAR(sum, profile["update_us"].get<double>(), 1e-6 * sum) << "all of the time is accounted for";
  const Json trace = read_json(project_.run("points").file("trace.json"));
  EXPECT_GT(trace["traceEvents"].size(), 100u);
  EXPECT_EQ(trace["traceEvents"][0]["ph"], "X");
}

TEST_F(Stages, EvaluationTwiceIsTheSameReport) {
  expect_run("points");
  const Json first = report("points");
  expect_ok({"evaluate", "points"});
  EXPECT_EQ(report("points"), first);
  const Outcome kfold = project_.danlu({"evaluate", "points", "--kfold", "--folds", "3"});
  ASSERT_EQ(kfold.code, 0) << kfold;
  EXPECT_EQ(read_json(project_.run("points").file("kfold.json"))["scores"].size(), 3u);
  EXPECT_EQ(report("points"), first) << "cross-validation is beside it";
}

TEST_F(Stages, AGateThatIsNotKeptIsAnExitCodeOfItsOwn) {
  const Words run = {"run", "--data", "points.csv", "--target", "kind", "notice=Only for points."};
  const auto with = [&](const std::string& gates) {
    Words words = run;
    words.push_back("evaluate.gates=" + gates);
    return project_.danlu(words);
  };
  const Outcome failed = with("{auc: 0.5, mcc: 1.5}");
  EXPECT_EQ(failed.code, 3) << failed;
  EXPECT_THAT(failed.out, testing::AllOf(HasSubstr("quality gates FAILED"), HasSubstr("passed  auc "), HasSubstr("FAILED  mcc ")));
  EXPECT_EQ(project_.run("points").status(), "finished");
  EXPECT_EQ(project_.run("points").info()["gates"], "failed");
  EXPECT_EQ(project_.danlu({"evaluate", "points"}).code, 3);
  for (const char* page : {"runs/points/report.html", "runs/points/bundle/card.md"}) {
    EXPECT_THAT(project_.read(page), testing::AllOf(HasSubstr("Only for points."), testing::ContainsRegex("FAILED|failed"))) << page;
  }
  EXPECT_FALSE(read_json(project_.run("points").file("report.json"))["gates"]["passed"].get<bool>());

  const Outcome passed = with("{auc: 0.5}");
  EXPECT_EQ(passed.code, 0) << passed;
  EXPECT_THAT(passed.out, HasSubstr("quality gates passed"));
  EXPECT_EQ(project_.run("points").info()["gates"], "passed");
  const Outcome answers = project_.danlu({"predict", "points", "points.csv"});
  EXPECT_THAT(answers.out, testing::ContainsRegex("\"notice\": ?\"Only for points.\""));
  const Outcome csv = project_.danlu({"predict", "points", "points.csv", "-o", "answers.csv"});
  EXPECT_THAT(csv.err, HasSubstr("Only for points."));
}

TEST_F(Stages, TheDerivedRecipeSaysWhyAndGivesTheSameWeights) {
  expect_ok({"run", "--data", "points.csv", "--target", "kind"});
  const std::string resolved = project_.read("runs/points/resolved.yaml");
  for (const char* reason : {"# derived: a small perceptron, because the data are rows", "# column \"x\": number",
                             "# column \"colour\": ", "# target \"kind\": binary", "# derived: an upper bound",
                             "# derived: 15 validations without improvement"}) {
    EXPECT_THAT(resolved, HasSubstr(reason));
  }
  project_.write("again.yaml", resolved);
  expect_ok({"run", "again.yaml", "--name", "again"});
  EXPECT_EQ(weights_hash("again"), weights_hash("points"));
  EXPECT_EQ(report("again"), report("points"));
}

TEST_F(Stages, TheCommandLineBeatsTheEnvironmentBeatsTheFile) {
  project_.write("recipe.yaml",
                 "data: {source: points.csv, target: kind}\ntrain: {epochs: 3, batch_size: 16, clip_norm: 5}\n");
  const Outcome outcome = project_.danlu(
      {"check", "recipe.yaml", "train.epochs=9", "--resolved"},
      {"DANLU_TRAIN_EPOCHS=7", "DANLU_TRAIN_BATCH_SIZE=32", "DANLU_SEED=4", "DANLU_TRAIN_OPTIMIZER_LR=0.25"});
  ASSERT_EQ(outcome.code, 0) << outcome;
  const size_t begin = outcome.out.find("name: recipe\n"), end = outcome.out.find("the recipe is sound");
  const Json recipe = app::parse_yaml(outcome.out.substr(begin, end - begin), "resolved").json;
  EXPECT_EQ(recipe["train"]["epochs"], 9) << "command line";
  EXPECT_EQ(recipe["train"]["batch_size"], 32) << "environment";
  EXPECT_EQ(recipe["train"]["optimizer"]["lr"], 0.25) << "environment, below a free key";
  EXPECT_EQ(recipe["seed"], 4) << "environment";
  EXPECT_EQ(recipe["train"]["clip_norm"], 5) << "file";
  EXPECT_EQ(recipe["train"]["l1"], 0) << "default";
}

TEST_F(Stages, CheckSaysWhatARunWouldDoAndWritesNothing) {
  const auto before = project_.files();
  const Outcome outcome = project_.danlu({"check", "--data", "points.csv", "--target", "kind"});
  ASSERT_EQ(outcome.code, 0) << outcome;
  for (const char* words :
       {"points.csv: 120 rows, 4 columns", "binary: ", "to train", "Linear(", "parameters", "the recipe is sound"}) {
    EXPECT_THAT(outcome.out, HasSubstr(words));
  }
  EXPECT_EQ(project_.files(), before);
  EXPECT_FALSE(fs::exists(project_ / "runs"));
  EXPECT_THAT(project_.danlu({"check", "--options"}).out, HasSubstr("early_stop"));
  const Json schema = parse_json(project_.danlu({"check", "--schema"}).out, "schema");
  EXPECT_TRUE(schema["properties"]["train"]["properties"].contains("epochs"));
}

TEST_F(Stages, MessagesAsJsonAreALineEach) {
  const Outcome outcome =
      project_.danlu({"run", "--data", "points.csv", "--target", "kind", "train.epochs=3", "--log", "json"});
  ASSERT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(outcome.err, "");
  std::map<std::string, int> events;
  for (const Json& json : json_lines(outcome.out)) {
    ++events[json.at("event")];
    if (json["event"] == "report" && json["report"] == "plan") {
      EXPECT_EQ(json["content"]["model"]["type"], "mlp");
    }
  }
  EXPECT_EQ(events["stage"], 4);
  EXPECT_EQ(events["report"], 3);
  EXPECT_EQ(events["epoch"], 3);
  EXPECT_EQ(events["finished"], 1);
}

TEST_F(Stages, QuietSaysNothing) {
  const Outcome outcome = project_.danlu({"run", "--data", "points.csv", "--target", "kind", "train.epochs=3", "-q"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out + outcome.err, "");
}

TEST_F(Stages, ARunOfTheSameNameKeepsTheEarlierOne) {
  expect_run("points");
  const auto first = project_.files("runs/points");
  expect_run("points", {"seed=2"});
  EXPECT_EQ(project_.files("runs/.previous/points"), first);
}

TEST_F(Stages, RunsAreListedShownComparedAndRemoved) {
  expect_run("narrow", {"model.hidden=[4]"});
  expect_run("wide", {"model.hidden=[32]"});
  const Outcome list = project_.danlu({"runs"});
  EXPECT_EQ(list.code, 0);
  EXPECT_THAT(list.out, testing::AllOf(HasSubstr("narrow"), HasSubstr("wide"), HasSubstr("finished")));
  EXPECT_EQ(parse_json(project_.danlu({"runs", "list", "--log", "json"}).out, "list")["runs"].size(), 2u);
  const Outcome show = project_.danlu({"runs", "show", "wide"});
  EXPECT_THAT(show.out,
              testing::AllOf(HasSubstr("weights_hash: "), HasSubstr("verdict: passed"), HasSubstr("Accuracy")));
  const Outcome compare = project_.danlu({"runs", "compare", "narrow", "wide"});
  EXPECT_THAT(compare.out,
              testing::AllOf(HasSubstr("model.hidden"), HasSubstr("[4]"), HasSubstr("[32]"), HasSubstr("accuracy")));
  EXPECT_THAT(compare.out, testing::Not(HasSubstr("train.epochs"))) << "which is the same in both";
  expect_ok({"runs", "rm", "narrow"});
  EXPECT_FALSE(fs::exists(project_ / "runs/narrow"));
  EXPECT_TRUE(fs::exists(project_ / "runs/wide"));
}

TEST_F(Stages, RunsLieWhereTheyAreSaidTo) {
  expect_run("points", {"--runs", "elsewhere"});
  EXPECT_TRUE(fs::exists(project_ / "elsewhere/points/report.json"));
  EXPECT_THAT(project_.danlu({"runs"}, {"DANLU_RUNS=elsewhere"}).out, HasSubstr("finished"));
  EXPECT_FALSE(fs::exists(project_ / "runs"));
}

}  // namespace
}  // namespace danlu::test
