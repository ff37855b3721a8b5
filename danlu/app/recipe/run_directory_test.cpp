#include "danlu/app/recipe/run_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "danlu/base/error.h"
#include "danlu/base/temporary_directory.h"

namespace danlu::app {
namespace {

using testing::HasSubstr;

template <class Call>
std::string error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(RunDirectory, ANewRunMovesTheOldOneAside) {
  const TemporaryDirectory runs;
  const RunDirectory run(runs / "a");
  run.start_fresh();
  run.update({{"status", "finished"}});
  write_file_atomic(run.file("metrics.jsonl"), "old\n");
  run.start_fresh();
  EXPECT_TRUE(fs::is_empty(run.path()));
  EXPECT_EQ(read_file(runs / ".previous" / fs::path("a/metrics.jsonl")), "old\n");
  run.update({{"status", "failed"}});
  run.start_fresh();
  EXPECT_FALSE(fs::exists(runs / ".previous" / fs::path("a/metrics.jsonl"))) << "one earlier run is kept";
}

TEST(RunDirectory, WhatIsNoRunIsLeftAlone) {
  const TemporaryDirectory runs;
  write_file_atomic(runs / "a" / fs::path("thesis.txt"), "years of work");
  EXPECT_THAT(error_of([&] { RunDirectory(runs / "a").start_fresh(); }), HasSubstr("is in the way and is no run"));
  EXPECT_EQ(read_file(runs / "a" / fs::path("thesis.txt")), "years of work");
}

TEST(RunDirectory, WhatAKilledBeginningLeavesIsNotInTheWay) {
  const TemporaryDirectory runs;
  write_file_atomic(runs / "a" / fs::path("run.json.tmp-4711-0"), "{");
  RunDirectory(runs / "a").start_fresh();
  EXPECT_TRUE(fs::is_empty(runs / "a"));
}

TEST(RunDirectory, RunningIsToldFromInterruptedByTheLock) {
  const TemporaryDirectory runs;
  const RunDirectory run(runs / "a");
  run.start_fresh();
  run.update({{"status", "running"}});
  EXPECT_EQ(run.status(), "interrupted");
  {
    const RunLock lock(run);
    EXPECT_EQ(run.status(), "running");
    EXPECT_THAT(error_of([&] { const RunLock second(run); }), HasSubstr("another process is at work"));
  }
  EXPECT_EQ(run.status(), "interrupted");
  run.update({{"status", "trained"}});
  EXPECT_EQ(run.status(), "trained");
}

TEST(RunDirectory, TheNextProcessRemovesWhatAKilledOneLeft) {
  const TemporaryDirectory runs;
  const RunDirectory run(runs / "a");
  run.start_fresh();
  run.update({{"status", "running"}});
  write_file_atomic(run.checkpoints() / "last.safetensors", "whole");
  write_file_atomic(run.checkpoints() / "last.safetensors.tmp-4711-3", "half");
  const RunLock lock(run);
  EXPECT_TRUE(fs::exists(run.checkpoints() / "last.safetensors"));
  EXPECT_FALSE(fs::exists(run.checkpoints() / "last.safetensors.tmp-4711-3"));
}

TEST(RunDirectory, UpdatesKeepOtherFields) {
  const TemporaryDirectory runs;
  const RunDirectory run(runs / "a");
  run.update({{"name", "a"}, {"status", "running"}});
  run.update({{"status", "trained"}});
  EXPECT_EQ(run.info().dump(), R"({"name":"a","status":"trained"})");
}

TEST(RunDirectory, AreListedNewestFirstAndFoundByNameOrPath) {
  const TemporaryDirectory runs;
  RunDirectory(runs / "older").update({{"started", "2026-01-01T00:00:00Z"}});
  RunDirectory(runs / "newer").update({{"started", "2026-01-02T00:00:00Z"}});
  make_directories(runs / "no-run");
  const auto list = list_runs(runs.path());
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].name(), "newer");
  EXPECT_EQ(find_run("older", runs.path()).path(), runs / "older");
  EXPECT_EQ(find_run((runs / "older").string() + "/", "elsewhere").name(), "older");
  EXPECT_THAT(error_of([&] { find_run("oldr", runs.path()); }), HasSubstr("did you mean \"older\"?"));
  EXPECT_THAT(error_of([&] { find_run("a", runs / "no-run"); }), HasSubstr("there are no runs in"));
  EXPECT_TRUE(list_runs(runs / "absent").empty());
}

}  // namespace
}  // namespace danlu::app
