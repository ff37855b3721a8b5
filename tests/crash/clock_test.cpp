// A wall clock that is set, forwards and backwards, while the program works: nothing is measured by it, and nothing is lost.
#include <gmock/gmock.h>

#include "danlu/base/json.h"
#include "tests/program.h"
#include "tests/samples.h"

#ifdef DANLU_JUMPING_CLOCK

namespace danlu::test {
namespace {

using testing::HasSubstr;

const Words kJumping = {"LD_PRELOAD=" DANLU_JUMPING_CLOCK};

class JumpingClock : public testing::Test {
 protected:
  JumpingClock() { project_.write("points.csv", points_csv(300)); }
  std::string hash(const std::string& name) const { return project_.run(name).info()["training"]["weights_hash"]; }
  Project project_;
};

TEST_F(JumpingClock, ReallyJumps) {
  const Outcome first = project_.danlu({"run", "--data", "points.csv", "--target", "kind", "train.epochs=1"}, kJumping);
  ASSERT_EQ(first.code, 0) << first;
  const std::string started = project_.run("points").info()["started"], finished = project_.run("points").info()["finished"];
  EXPECT_NE(started.substr(0, 10), finished.substr(0, 10)) << "on different days";
}

TEST_F(JumpingClock, DeadlinesAreKept) {
  const Timer timer;
  const Outcome run = project_.danlu({"run", "--data", "points.csv", "--target", "kind", "train.epochs=1e8", "train.early_stop=0", "--deadline", "2s"}, kJumping);
  EXPECT_EQ(run.code, 0) << run;
  EXPECT_GT(timer.seconds(), 1.9);
  const Json training = project_.run("points").info()["training"];
  EXPECT_EQ(training["stopped_by"], "deadline");
  EXPECT_NEAR(training["seconds"].get<double>(), 2, 0.2);
}

TEST_F(JumpingClock, AnInterruptedRunGoesOnToTheSameWeights) {
  const Words words = {"run", "--data", "points.csv", "--target", "kind", "train.epochs=300", "train.early_stop=0", "--name"};
  const auto named = [&](const std::string& name) {
    Words all = words;
    all.push_back(name);
    return all;
  };
  ASSERT_EQ(project_.danlu(named("whole")).code, 0);
  for (bool killed = false; !killed;) {
    const auto process = project_.start(named("cut"), kJumping);
    while (process->is_running() && !fs::exists(project_.run("cut").checkpoints() / "last.safetensors")) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    process->signal(SIGKILL);
    killed = process->wait().code == -SIGKILL;
  }
  const Outcome again = project_.danlu(named("cut"), kJumping);
  EXPECT_EQ(again.code, 0) << again;
  EXPECT_THAT(again.out, HasSubstr("goes on from step"));
  EXPECT_EQ(hash("cut"), hash("whole"));

  const Outcome list = project_.danlu({"runs"}, kJumping);
  EXPECT_EQ(list.code, 0) << list;
  EXPECT_THAT(list.out, HasSubstr("whole  finished"));
  EXPECT_THAT(list.out, HasSubstr("cut    finished"));
}

}  // namespace
}  // namespace danlu::test

#endif
