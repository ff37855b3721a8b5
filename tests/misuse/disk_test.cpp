// A disk that is full, or takes no writing at all.
#include "danlu/base/json.h"
#include "tests/misuse/refusal.h"
#include "tests/samples.h"
#include "tests/small_disk.h"

namespace danlu::test {
namespace {

using testing::HasSubstr;
using testing::Not;

// Every file that is there is whole, and no directory says that it is a bundle when it is none.
void expect_nothing_half_written(const Project& project) {
  for (const auto& [name, bytes] : project.files("runs")) {
    EXPECT_THAT(name, Not(HasSubstr(".tmp-")));
    if (!name.ends_with(".json")) continue;
    EXPECT_NO_THROW(parse_json(bytes, name)) << name;
  }
  if (fs::exists(project.run("points").bundle() / "config.json")) {
    EXPECT_EQ(project.danlu({"predict", "points", "points.csv"}).code, 0) << "it is called a bundle";
  }
}

TEST(FullDisk, EndsARunAnywhereWithoutAHalf) {
  int failed = 0;
  bool finished = false;
  // From no room for the first file to room for all of them: the disk fills up in every stage.
  for (int kilobytes = 4; kilobytes <= 768 && !finished; kilobytes += kilobytes < 48 ? 4 : 16) {
    SCOPED_TRACE(fmt::format("{} KiB", kilobytes));
    const Project project;
    project.write("points.csv", points_csv(60));
    const SmallDisk disk(project / "runs", kilobytes);
    if (!disk.is_mounted()) GTEST_SKIP() << "cannot mount a small file system: " << disk.reason();
    const Outcome outcome = project.danlu(
        {"run", "--data", "points.csv", "--target", "kind", "train.epochs=2", "train.optimizer.type=adamw"});
    finished = outcome.code == 0;
    if (!finished) {
      ++failed;
      EXPECT_EQ(outcome.code, kFailed) << outcome;
      EXPECT_THAT(outcome.err, HasSubstr("danlu: ["));
      EXPECT_THAT(outcome.err, HasSubstr("No space left on device"));
      EXPECT_FALSE(fs::exists(project.run("points").file("report.txt")) &&
                   project.run("points").status() == "finished");
    }
    expect_nothing_half_written(project);
  }
  EXPECT_TRUE(finished) << "with room enough the run ends well";
  EXPECT_GT(failed, 8);
}

TEST(FullDisk, TakesNoAnswersAndKeepsTheEarlierOnes) {
  const Project project;
  project.write("points.csv", points_csv(60));
  ASSERT_EQ(project.danlu({"run", "--data", "points.csv", "--target", "kind", "train.epochs=1"}).code, 0);
  const SmallDisk disk(project / "answers", 8);
  if (!disk.is_mounted()) GTEST_SKIP() << "cannot mount a small file system: " << disk.reason();
  project.write("answers/a.csv", "earlier");
  project.write("points.csv", points_csv(400));
  expect_refused(project, {"predict", "points", "points.csv", "-o", "answers/a.csv"}, kFailed,
                 {"answers/a.csv", "No space left on device"});
}

TEST(FullDisk, StandardOutputThatTakesNothingIsAnError) {
  const Project project;
  project.write("points.csv", points_csv(60));
  ASSERT_EQ(project.danlu({"run", "--data", "points.csv", "--target", "kind", "train.epochs=1"}).code, 0);
  const Outcome outcome = project.start({"predict", "points", "points.csv"}, {}, "/dev/full")->wait();
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_THAT(outcome.err, HasSubstr("cannot write to standard output"));
}

TEST(Disk, ADirectoryInTheWayIsNamed) {
  const Project project;
  project.write("points.csv", points_csv(60));
  project.write("runs", "a file where the directory of runs should be");
  expect_refused(project, {"run", "--data", "points.csv", "--target", "kind"}, kFailed, {"runs"});
}

}  // namespace
}  // namespace danlu::test
