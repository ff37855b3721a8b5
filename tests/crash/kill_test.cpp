// Processes that are killed, stopped or started twice. What was said to be saved is there, and the way on is clear.
#include <gmock/gmock.h>

#include <algorithm>

#include "danlu/base/json.h"
#include "danlu/base/rng.h"
#include "tests/program.h"
#include "tests/samples.h"

namespace danlu::test {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

void sleep_for(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

const Words kShort = {"run", "--data", "points.csv", "--target", "kind", "train.epochs=3"};
// Ends by a signal only.
const Words kEndless = {"run", "--data", "points.csv", "--target", "kind", "train.epochs=1e8", "train.early_stop=0"};

class Crash : public testing::Test {
 protected:
  Crash() { project_.write("points.csv", points_csv(300)); }

  app::RunDirectory run() const { return project_.run("points"); }
  bool has_checkpoint() const { return fs::exists(run().checkpoints() / "best.safetensors"); }
  void wait_for_checkpoint() const {
    const Timer timer;
    while (!fs::exists(run().checkpoints() / "last.safetensors") && timer.seconds() < kPatience_s) sleep_for(0.002);
    ASSERT_TRUE(has_checkpoint());
  }
  // The same command again, to its end.
  void expect_clean_restart() const {
    const Outcome again = project_.danlu(kShort);
    ASSERT_EQ(again.code, 0) << again;
    EXPECT_EQ(run().status(), "finished");
    EXPECT_EQ(run().info()["training"]["epochs"], 3);
    const std::string metrics = read_file(run().file("metrics.jsonl"));
    EXPECT_EQ(std::count(metrics.begin(), metrics.end(), '\n'), 3) << "of this run alone";
    for (const auto& [name, bytes] : project_.files("runs/points")) EXPECT_THAT(name, testing::Not(HasSubstr(".tmp-")));
  }

  Project project_;
};

TEST_F(Crash, AKillDuringTrainingLeavesACheckpointThatEvaluates) {
  Rng rng(11);
  for (int round = 0; round < 6; ++round) {
    SCOPED_TRACE(round);
    fs::remove_all(project_ / "runs");
    const auto process = project_.start(kEndless);
    wait_for_checkpoint();
    sleep_for(0.2 * rng.uniform());
    process->signal(SIGKILL);
    EXPECT_EQ(process->wait().code, -SIGKILL);
    EXPECT_EQ(run().status(), "interrupted");
    const Outcome evaluated = project_.danlu({"evaluate", "points"});
    EXPECT_EQ(evaluated.code, 0) << evaluated;
    EXPECT_THAT(evaluated.out, HasSubstr("Accuracy"));
    EXPECT_EQ(run().status(), "finished");
    EXPECT_EQ(project_.danlu({"predict", "points", "points.csv"}).code, 0);
  }
  expect_clean_restart();
}

TEST_F(Crash, AnotherWayToMeasureIsNoOtherTraining) {
  const auto with = [](const Words& more) {
    Words words = {"run", "--data", "points.csv", "--target", "kind", "train.epochs=300", "train.early_stop=0"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  for (bool killed = false; !killed;) {
    const auto process = project_.start(with({}));
    wait_for_checkpoint();
    process->signal(SIGKILL);
    killed = process->wait().code == -SIGKILL;
    if (!killed) fs::remove_all(project_ / "runs");
  }
  const Outcome priced = project_.danlu(with({"evaluate.price_per_hour=0.4"}));
  EXPECT_EQ(priced.code, 0) << priced;
  EXPECT_THAT(priced.out, HasSubstr("goes on from step"));
  EXPECT_THAT(read_file(run().file("resolved.yaml")), HasSubstr("price_per_hour: 0.4"));
}

TEST_F(Crash, ARestartKeepsTheEarlierRunBeside) {
  const auto process = project_.start(kEndless);
  wait_for_checkpoint();
  process->signal(SIGKILL);
  process->wait();
  const std::string checkpoint = read_file(run().checkpoints() / "best.safetensors");
  expect_clean_restart();
  EXPECT_EQ(project_.read("runs/.previous/points/checkpoints/best.safetensors"), checkpoint);
}

// The whole of a run, cut at instants spread over its time: whatever the stage, the directory tells the truth and the
// run can go on from it.
TEST_F(Crash, AKillAtAnyInstantLeavesARunThatTellsTheTruth) {
  const Timer timer;
  ASSERT_EQ(project_.danlu(kShort).code, 0);
  const double whole = timer.seconds();
  constexpr int kInstants = 24;
  std::map<std::string, int> statuses;
  for (int i = 0; i < kInstants; ++i) {
    SCOPED_TRACE(i);
    fs::remove_all(project_ / "runs");
    const auto process = project_.start(kShort);
    sleep_for(whole * i / kInstants);
    process->signal(SIGKILL);
    process->wait();
    if (!run().exists()) {
      ++statuses["absent"];
      continue;
    }
    std::string status = run().status();
    // A child of it between fork and exec holds the lock for a moment longer.
    for (int tries = 0; status == "running" && tries < 100; ++tries) {
      sleep_for(0.01);
      status = run().status();
    }
    ++statuses[status];
    EXPECT_THAT(status, AnyOf("interrupted", "prepared", "trained", "finished"));
    const bool reported = fs::exists(run().file("report.json")) && fs::exists(run().bundle() / "config.json");
    EXPECT_TRUE(reported || status != "finished");
    EXPECT_TRUE(has_checkpoint() || status != "trained");
    const bool has_weights = has_checkpoint();
    const Outcome evaluated = project_.danlu({"evaluate", "points"});
    EXPECT_EQ(evaluated.code, has_weights ? 0 : 1) << evaluated;
    EXPECT_EQ(evaluated.code == 0, evaluated.err.empty()) << evaluated.err;
    if (status == "prepared") {
      EXPECT_EQ(project_.danlu({"train", "points"}).code, 0);
    }
  }
  EXPECT_GT(statuses.size(), 1u) << "the instants fell into different stages";
  expect_clean_restart();
}

TEST_F(Crash, AKillDuringPrepareNeverLooksFinished) {
  const Words prepare = {"prepare", "--data", "points.csv", "--target", "kind", "train.epochs=2"};
  const Timer timer;
  ASSERT_EQ(project_.danlu(prepare).code, 0);
  const double whole = timer.seconds();
  constexpr int kInstants = 12;
  for (int i = 0; i < kInstants; ++i) {
    SCOPED_TRACE(i);
    fs::remove_all(project_ / "runs");
    const auto process = project_.start(prepare);
    sleep_for(whole * (i + 0.5) / kInstants);
    process->signal(SIGKILL);
    process->wait();
    if (!run().exists()) continue;
    const std::string status = run().status();
    EXPECT_THAT(status, AnyOf("interrupted", "prepared"));
    const Outcome train = project_.danlu({"train", "points", "--quiet"});
    if (status == "prepared") {
      EXPECT_EQ(train.code, 0) << train;
    } else if (train.code != 0) {
      EXPECT_THAT(train.err, testing::StartsWith("danlu: [")) << train;
    }
  }
}

TEST_F(Crash, AnInterruptIsOrderly) {
  for (const int number : {SIGINT, SIGTERM}) {
    const auto process = project_.start(kEndless);
    wait_for_checkpoint();
    process->signal(number);
    const Outcome outcome = process->wait();
    EXPECT_EQ(outcome.code, 1) << outcome;
    EXPECT_THAT(outcome.out, HasSubstr("was stopped and saved; go on: the same command again; its best weights so far: danlu evaluate"));
    EXPECT_EQ(run().status(), "stopped");
    EXPECT_EQ(run().info()["training"]["stopped_by"], "request");
    EXPECT_EQ(project_.danlu({"evaluate", "points"}).code, 0);
    fs::remove_all(project_ / "runs");
  }
}

TEST_F(Crash, TwoProcessesDoNotShareARun) {
  const auto process = project_.start(kEndless);
  wait_for_checkpoint();
  EXPECT_EQ(run().status(), "running");
  for (const Words& words :
       {kShort, Words{"train", "points"}, Words{"evaluate", "points"}, Words{"runs", "rm", "points"}}) {
    const Outcome second = project_.danlu(words);
    EXPECT_EQ(second.code, 2) << second;
    EXPECT_THAT(second.err, HasSubstr("another process is at work on runs/points"));
  }
  EXPECT_TRUE(process->is_running());
}

}  // namespace
}  // namespace danlu::test
