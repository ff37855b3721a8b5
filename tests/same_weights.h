// What every model must keep: the same weights, to the bit, however a training comes to its end.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "danlu/base/json.h"
#include "tests/program.h"

namespace danlu::test {

inline std::string weights_hash(const Project& project, const std::string& run) { return project.run(run).info()["training"]["weights_hash"]; }

// Trains the recipe with one thread and with two, and with two threads until it is killed, behind its first saved state, and with one to
// the end.
inline void expect_same_weights(const Project& project, const Words& words, const std::string& run) {
  const Outcome first = project.danlu(words, {"OMP_NUM_THREADS=1"});
  ASSERT_EQ(first.code, 0) << first;
  const std::string one = weights_hash(project, run);
  fs::remove_all(project / "runs" / run);
  ASSERT_EQ(project.danlu(words, {"OMP_NUM_THREADS=2"}).code, 0);
  EXPECT_EQ(weights_hash(project, run), one) << "with two threads";

  for (bool killed = false; !killed;) {
    fs::remove_all(project / "runs" / run);
    const auto process = project.start(words, {"OMP_NUM_THREADS=2"});
    while (process->is_running() && !fs::exists(project.run(run).checkpoints() / "last.safetensors")) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    process->signal(SIGKILL);
    killed = process->wait().code == -SIGKILL;
  }
  const Outcome again = project.danlu(words, {"OMP_NUM_THREADS=1"});
  ASSERT_EQ(again.code, 0) << again;
  EXPECT_EQ(weights_hash(project, run), one) << "after an interruption";
}

}  // namespace danlu::test
