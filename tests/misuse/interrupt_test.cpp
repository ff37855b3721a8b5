// Kills and stops in the middle of the work.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "danlu/base/json.h"
#include "tests/misuse/program.h"

namespace danlu {
namespace {

using testing::HasSubstr;

class Interrupt : public testing::Test {
 protected:
  Interrupt() { work_.write("t.csv", small_csv(400)); }

  // Long enough that it ends by a signal only.
  static std::vector<std::string> long_run() {
    return {"run", "--data", "t.csv", "--target", "kind", "train.epochs=1e8", "train.early_stop=0"};
  }

  // Waits until training has saved something.
  bool wait_for_checkpoint() const {
    for (int i = 0; i < 600; ++i) {
      if (fs::exists(work_ / "runs/t/checkpoints/last.safetensors")) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  }

  Workplace work_;
};

TEST_F(Interrupt, AKillLeavesACheckpointThatEvaluates) {
  {
    Program program(work_.path(), long_run());
    ASSERT_TRUE(wait_for_checkpoint());
    EXPECT_EQ(program.end(SIGKILL).code, 128 + SIGKILL);
  }
  EXPECT_THAT(work_.danlu({"runs"}).out, HasSubstr("interrupted"));
  const Outcome evaluated = work_.danlu({"evaluate", "t"});
  EXPECT_EQ(evaluated.code, 0) << evaluated.err;
  EXPECT_THAT(evaluated.out, HasSubstr("Accuracy"));
  EXPECT_THAT(work_.danlu({"runs"}).out, HasSubstr("finished"));
}

TEST_F(Interrupt, ARestartStartsClean) {
  {
    Program program(work_.path(), long_run());
    ASSERT_TRUE(wait_for_checkpoint());
    program.end(SIGKILL);
  }
  const Outcome again = work_.danlu({"run", "--data", "t.csv", "--target", "kind", "train.epochs=2"});
  EXPECT_EQ(again.code, 0) << again.err;
  const Json info = read_json(work_ / "runs/t/run.json");
  EXPECT_EQ(info["status"], "finished");
  EXPECT_EQ(info["training"]["epochs"], 2);
  const std::string metrics = read_file(work_ / "runs/t/metrics.jsonl");
  EXPECT_EQ(std::count(metrics.begin(), metrics.end(), '\n'), 2) << "nothing of the killed run";
  EXPECT_TRUE(fs::exists(work_ / "runs/.previous/t/checkpoints/last.safetensors")) << "which is kept beside";
}

TEST_F(Interrupt, CtrlCEndsInAnOrderlyWay) {
  Program program(work_.path(), long_run());
  ASSERT_TRUE(wait_for_checkpoint());
  const Outcome outcome = program.end(SIGINT);
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("was stopped"));
  EXPECT_EQ(read_json(work_ / "runs/t/run.json")["status"], "stopped");
  EXPECT_EQ(work_.danlu({"evaluate", "t"}).code, 0);
}

TEST_F(Interrupt, TwoProcessesDoNotShareARun) {
  Program program(work_.path(), long_run());
  ASSERT_TRUE(wait_for_checkpoint());
  const Outcome second = work_.danlu({"train", "t"});  // overwrites the first one's stdout.txt, which nobody reads
  EXPECT_EQ(second.code, 2);
  EXPECT_THAT(second.err, HasSubstr("another process is at work"));
  EXPECT_EQ(program.end(SIGKILL).code, 128 + SIGKILL);
}

}  // namespace
}  // namespace danlu
