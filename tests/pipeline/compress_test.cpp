// From a finished run to a smaller one, measured, and answered with as with any other.
#include <gmock/gmock.h>

#include "danlu/base/json.h"
#include "tests/client.h"
#include "tests/misuse/refusal.h"
#include "tests/program.h"
#include "tests/samples.h"

namespace danlu::test {
namespace {

using testing::HasSubstr;
constexpr int kNotWorthIt = 3;

class Compressed : public testing::Test {
 protected:
  Compressed() { project_.write("points.csv", points_csv(400)); }

  void expect_ok(const Words& words) {
    const Outcome outcome = project_.danlu(words);
    ASSERT_EQ(outcome.code, 0) << outcome;
  }
  void train_points(const Words& more = {}) {
    Words words = {"run", "--data", "points.csv", "--target", "kind", "train.epochs=10", "model.hidden=[128,64]", "evaluate.explain_seconds=0"};
    words.insert(words.end(), more.begin(), more.end());
    expect_ok(words);
  }
  Json compress_json(const std::string& run) const { return read_json(project_.run(run).bundle() / "compress.json"); }

  // Everything that a run is for works on the smaller one.
  void expect_run_of_its_own(const std::string& name, const std::string& from) {
    const app::RunDirectory run = project_.run(name);
    EXPECT_EQ(run.status(), "finished");
    EXPECT_EQ(run.info()["compressed"]["from"], from);
    EXPECT_TRUE(fs::exists(run.file("report.html")));
    const Json found = compress_json(name);
    EXPECT_EQ(found["metrics"]["accuracy"]["decides"], true);
    EXPECT_EQ(read_json(run.file("report.json"))["metrics"]["accuracy"]["value"], found["metrics"]["accuracy"]["after"]);
    EXPECT_EQ(read_json(project_.run(from).file("report.json"))["metrics"]["accuracy"]["value"], found["metrics"]["accuracy"]["before"]);
    const Outcome again = project_.danlu({"evaluate", name});
    EXPECT_EQ(again.code, 0) << again;
    EXPECT_EQ(read_json(run.file("report.json"))["metrics"]["accuracy"]["value"], found["metrics"]["accuracy"]["after"]);
    const Outcome predicted = project_.danlu({"predict", name, "points.csv"});
    EXPECT_EQ(predicted.code, 0) << predicted;
    EXPECT_EQ(json_lines(predicted.out).size(), 400u);
    EXPECT_TRUE(fs::exists(run.bundle() / "compress.json")) << "evaluation leaves it where it is";
  }

  Project project_;
};

TEST_F(Compressed, ToEightBits) {
  train_points();
  const auto before = project_.files("runs/points");
  const Outcome outcome = project_.danlu({"compress", "points", "--to", "int8", "--tolerance", "3"});
  ASSERT_EQ(outcome.code, 0) << outcome;
  EXPECT_THAT(outcome.out, HasSubstr("worth it"));
  EXPECT_TRUE(project_.files("runs/points") == before) << "the run itself has changed";
  const Json found = compress_json("points-int8");
  EXPECT_GT(found["bytes"]["before"].get<double>(), 2.5 * found["bytes"]["after"].get<double>());
  EXPECT_EQ(found["verdict"]["worth"], true);
  EXPECT_EQ(found["latency"].size(), 2u);
  expect_run_of_its_own("points-int8", "points");
  // Both answer the same server.
  const ServedModels served(project_, {"runs/points", "runs/points-int8"});
  const Json answers = json_lines(project_.danlu({"predict", "points-int8", "points.csv"}).out)[0];
  EXPECT_TRUE(answers.contains("label"));
}

TEST_F(Compressed, WithoutNineOfTenWeights) {
  train_points();
  const Outcome outcome = project_.danlu({"compress", "runs/points/bundle", "--to", "sparse=0.9", "--tolerance", "3", "-o", "runs/thin"});
  ASSERT_EQ(outcome.code, 0) << outcome;
  const Json found = compress_json("thin");
  EXPECT_NEAR(found["settings"]["sparsity"].get<double>(), 0.9, 0.01);
  EXPECT_GT(found["bytes"]["before"].get<double>(), 3 * found["bytes"]["after"].get<double>());
  expect_run_of_its_own("thin", "points");
}

TEST_F(Compressed, WithTwoOfFourWeights) {
  train_points();
  const Outcome outcome = project_.danlu({"compress", "points", "--to", "2:4", "--epochs", "2", "--tolerance", "3"});
  ASSERT_EQ(outcome.code, 0) << outcome;
  EXPECT_GE(compress_json("points-2-4")["settings"]["sparsity"].get<double>(), 0.5);
  expect_run_of_its_own("points-2-4", "points");
}

TEST_F(Compressed, ToHalfTheUnits) {
  train_points();
  const Outcome outcome = project_.danlu({"compress", "points", "--to", "channels=0.5", "--tolerance", "3"});
  ASSERT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(read_json(project_.run("points-channels-0.5").bundle() / "config.json")["model"]["hidden"], (Json{64, 32}));
  expect_run_of_its_own("points-channels-0.5", "points");
  expect_ok({"compress", "points-channels-0.5", "--to", "int8", "--tolerance", "3"});
  expect_run_of_its_own("points-channels-0.5-int8", "points-channels-0.5");
}

TEST_F(Compressed, AsTheRecipeSays) {
  train_points({"compress={to: int8, tolerance: 3}"});
  expect_run_of_its_own("points-int8", "points");
  EXPECT_EQ(compress_json("points-int8")["tolerance"], 3);
  EXPECT_THAT(project_.read("runs/points-int8/resolved.yaml"), HasSubstr("to: \"\"")) << "what was made smaller is not made smaller again";
  const Outcome lossy = project_.danlu({"run", "--data", "points.csv", "--target", "kind", "train.epochs=4", "model.hidden=[64]", "evaluate.explain_seconds=0", "compress={to: sparse=0.999, epochs: 0}"});
  EXPECT_EQ(lossy.code, kNotWorthIt) << lossy;
  EXPECT_THAT(lossy.out + lossy.err, HasSubstr("NOT worth it"));
  const auto before = project_.files("runs");
  for (const auto& [section, words] : std::vector<std::pair<std::string, std::string>>{{"compress={to: int8, calibration: 1}", "expected at least 8"}, {"compress.epochs=1", "compress.to: is missing"}}) {
    expect_refused(project_, {"run", "--data", "points.csv", "--target", "kind", section}, kUsage, {words});
  }
  expect_refused(project_, {"run", "--data", "points.csv", "--target", "kind", "model.hidden=[]", "compress.to=channels=0.5"}, kUsage, {"without a hidden layer"});
  EXPECT_TRUE(project_.files("runs") == before) << "refused before anything is written";
}

TEST_F(Compressed, AnEncoderByItsHeads) {
  write_squares(project_ / "squares", 120);
  expect_ok({"run", "--data", "squares", "train.epochs=6", "evaluate.explain_seconds=0", "model={type: vit, patch: 4, layers: 2, heads: 4, width: 32}"});
  const Outcome outcome = project_.danlu({"compress", "squares", "--to", "channels=0.5", "--tolerance", "3"});
  ASSERT_EQ(outcome.code, 0) << outcome;
  const Json model = read_json(project_.run("squares-channels-0.5").bundle() / "config.json")["model"];
  EXPECT_EQ(model["heads"], 2);
  EXPECT_EQ(model["head_dim"], 8);
  EXPECT_EQ(model["hidden"], 64);
  EXPECT_EQ(json_lines(project_.danlu({"predict", "squares-channels-0.5", "squares/dark"}).out).size(), 60u);
  expect_ok({"compress", "squares-channels-0.5", "--to", "int8", "--tolerance", "3"});
}

TEST_F(Compressed, ALossIsCalledALoss) {
  train_points();
  const Outcome outcome = project_.danlu({"compress", "points", "--to", "sparse=0.999", "--epochs", "0"});
  EXPECT_EQ(outcome.code, kNotWorthIt) << outcome;
  EXPECT_THAT(outcome.out, HasSubstr("NOT worth it: too much quality is lost"));
  EXPECT_EQ(project_.run("points-sparse-0.999").info()["compressed"]["worth"], false);
}

TEST_F(Compressed, ImagesByTheirChannels) {
  write_squares(project_ / "squares", 120);
  expect_ok({"run", "--data", "squares", "train.epochs=4", "evaluate.explain_seconds=0", "model={type: cnn, layers: [{conv: {filters: 32, padding: 1}}, batch_norm, relu, {max_pool: 2}, {conv: 32}, relu, {max_pool: 2}]}"});
  for (const char* to : {"int8", "channels=0.5", "sparse=0.8"}) {
    const Outcome outcome = project_.danlu({"compress", "squares", "--to", to, "--tolerance", "100"});
    EXPECT_EQ(outcome.code, 0) << to << outcome;
  }
  EXPECT_EQ(json_lines(project_.danlu({"predict", "squares-int8", "squares/dark"}).out).size(), 60u);
}

TEST_F(Compressed, NumbersAreMeasuredByTheirError) {
  project_.write("houses.csv", houses_csv(400));
  expect_ok({"run", "--data", "houses.csv", "--target", "price", "model.hidden=[64,64]", "train.epochs=20", "evaluate.explain_seconds=0"});
  const Outcome outcome = project_.danlu({"compress", "houses", "--to", "int8", "--tolerance", "20"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_EQ(compress_json("houses-int8")["metrics"]["rmse"]["decides"], true);
}

TEST_F(Compressed, WhatCannotBeIsRefused) {
  train_points();
  expect_refused(project_, {"compress", "points"}, kUsage, {"expected --to int8"});
  expect_refused(project_, {"compress", "points", "--to", "int9"}, kUsage, {"--to: got int9; expected int8", "did you mean \"int8\"?"});
  expect_refused(project_, {"compress", "pints", "--to", "int8"}, kFailed, {"points"});
  expect_refused(project_, {"compress", "points", "--to", "int8", "--calibration", "1"}, kUsage, {"got 1 training sample to calibrate by; expected at least 8", "--calibration"});
  expect_refused(project_, {"compress", "points", "--to", "int8", "-o", "runs/points"}, kUsage, {"the run itself"});
  expect_refused(project_, {"compress", "points", "--to", "int8", "-o", "."}, kUsage, {"in the way"});
  expect_ok({"compress", "points", "--to", "int8", "--tolerance", "3"});
  expect_refused(project_, {"compress", "points-int8", "--to", "int8"}, kUsage, {"compressed already"});
  expect_refused(project_, {"train", "points-int8"}, kUsage, {"made of points; train that one"});
  expect_ok({"prepare", "--data", "points.csv", "--target", "kind", "--name", "raw"});
  expect_refused(project_, {"compress", "raw", "--to", "int8"}, kUsage, {"no bundle yet"});
  fs::copy(project_ / "runs/points/bundle", project_ / "lone", fs::copy_options::recursive);
  expect_refused(project_, {"compress", "lone", "--to", "int8"}, kUsage, {"a bundle without its run"});
}

TEST_F(Compressed, ADamagedOneIsRefused) {
  train_points();
  expect_ok({"compress", "points", "--to", "int8", "--tolerance", "3"});
  const fs::path weights = fs::path("runs/points-int8/bundle/model.safetensors");
  const std::string whole = project_.read(weights);
  for (const size_t at : {whole.size() / 2, whole.size() - 1}) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    project_.write(weights, damaged);
    expect_refused(project_, {"predict", "points-int8", "points.csv"}, kFailed, {"model.safetensors"});
  }
  project_.write(weights, whole.substr(0, whole.size() - 5));
  expect_refused(project_, {"predict", "points-int8", "points.csv"}, kFailed, {"model.safetensors"});
}

TEST_F(Compressed, AKillLeavesNoHalfOfABundle) {
  train_points();
  for (const double seconds : {0.02, 0.1, 0.3}) {
    const auto process = project_.start({"compress", "points", "--to", "sparse=0.9", "--epochs", "1", "--tolerance", "10", "-o", "runs/half"});
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    process->signal(SIGKILL);
    process->wait();
    const bool whole = fs::exists(project_ / "runs/half/bundle/config.json");
    EXPECT_EQ(project_.danlu({"predict", "half", "points.csv"}).code == 0, whole) << seconds;
  }
  const Outcome again = project_.danlu({"compress", "points", "--to", "sparse=0.9", "--epochs", "1", "--tolerance", "10", "-o", "runs/half"});
  EXPECT_EQ(again.code, 0) << again;
  for (const auto& [name, bytes] : project_.files("runs/half")) EXPECT_THAT(name, testing::Not(HasSubstr(".tmp-")));
}

}  // namespace
}  // namespace danlu::test
