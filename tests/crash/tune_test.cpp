// Searches that are killed again and again and go on by the same command: the same points, the same values, the same winner with the
// same weights, to the bit, as the search that nobody disturbed.
//
// DANLU_TEST_KILLS=200 for the long form.
#include <gmock/gmock.h>

#include <cstdlib>

#include "danlu/base/json.h"
#include "danlu/base/rng.h"
#include "tests/program.h"
#include "tests/samples.h"

namespace danlu::test {
namespace {

using testing::HasSubstr;

int kills_wanted() {
  const char* text = std::getenv("DANLU_TEST_KILLS");
  return text == nullptr ? 8 : std::atoi(text);
}

class TuneCrash : public testing::Test {
 protected:
  TuneCrash() { project_.write("flowers.csv", flowers_csv(400)); }

  static Words command(const Words& more) {
    Words words = {"tune", "--data", "flowers.csv", "--target", "species", "train.epochs=9", "train.early_stop=0", "train.save_every=5",
                   "tune.space={train.optimizer.lr: {log_uniform: [1e-4, 3e-1]}, model.hidden: {choice: [[8], [32], [16, 16]]}, train.batch_size: {int: [8, 64], log: true}}",
                   "tune.tpe.startup=4"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  // tune.json without what depends on the clock.
  Json results() const {
    Json json = read_json(project_ / "runs/flowers-tune/tune.json");
    for (Json& trial : json["trials"]) trial.erase("seconds");
    json["best"].erase("seconds");
    json["weights"] = read_json(project_ / "runs/flowers-tune/best/run.json")["training"]["weights_hash"];
    return json;
  }

  void expect_same_end(const Words& words) {
    const Timer timer;
    const Outcome straight = project_.danlu(words);
    ASSERT_EQ(straight.code, 0) << straight;
    const double whole = timer.seconds();
    const Json expected = results();
    EXPECT_THAT(straight.out, HasSubstr("weights " + expected["weights"].get<std::string>()));

    Rng rng(9);
    int kills = 0, ends = 0;
    while (kills < kills_wanted() || ends == 0) {
      fs::remove_all(project_ / "runs");
      for (bool ended = false; !ended;) {
        const auto process = project_.start(words, {rng.below(2) == 0 ? "OMP_NUM_THREADS=1" : "OMP_NUM_THREADS=2"});
        if (kills < kills_wanted()) {
          const Timer session;
          const double until = whole * rng.uniform();
          while (session.seconds() < until && process->is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
          process->signal(SIGKILL);
        }
        const Outcome outcome = process->wait();
        ended = outcome.code == 0;
        if (!ended) {
          ASSERT_EQ(outcome.code, -SIGKILL) << outcome;
          ++kills;
        }
      }
      ++ends;
      EXPECT_EQ(results(), expected) << "after " << kills << " kills";
      EXPECT_EQ(project_.run("flowers-tune").status(), "finished");
    }
    RecordProperty("kills", kills);
    RecordProperty("ends", ends);
  }

  Project project_;
};

TEST_F(TuneCrash, Tpe) { expect_same_end(command({"--trials", "8"})); }

TEST_F(TuneCrash, SuccessiveHalving) { expect_same_end(command({"--method", "asha", "--trials", "9"})); }

TEST_F(TuneCrash, WinnersThatAreTrainedAgain) {
  expect_same_end(command({"--method", "random", "--trials", "4", "tune.trial={train.epochs: 2}"}));
}

TEST_F(TuneCrash, AStopIsSavedAndSaysHowToGoOn) {
  const Words words = command({"--trials", "6"});
  ASSERT_EQ(project_.danlu(words).code, 0);
  const Json expected = results();
  fs::remove_all(project_ / "runs");
  const auto process = project_.start(words);
  const Timer timer;
  while (!fs::exists(project_ / "runs/flowers-tune/0002/metrics.jsonl") && timer.seconds() < kPatience_s) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  process->signal(SIGINT);
  const Outcome stopped = process->wait();
  EXPECT_EQ(stopped.code, 1) << stopped;
  EXPECT_THAT(stopped.out, HasSubstr("runs/flowers-tune was stopped and saved after "));
  EXPECT_THAT(stopped.out, HasSubstr("go on: the same command again"));
  EXPECT_EQ(project_.run("flowers-tune").status(), "stopped");
  const Outcome again = project_.danlu(words);
  EXPECT_EQ(again.code, 0) << again;
  EXPECT_THAT(again.out, HasSubstr("goes on after "));
  EXPECT_EQ(results(), expected);
}

// Nothing is trained twice; a larger budget adds trials.
TEST_F(TuneCrash, AFinishedSearchGoesOnWithALargerBudget) {
  ASSERT_EQ(project_.danlu(command({"--trials", "4"})).code, 0);
  const std::string journal = project_.read("runs/flowers-tune/trials.jsonl");
  const Outcome again = project_.danlu(command({"--trials", "4"}));
  EXPECT_EQ(again.code, 0) << again;
  EXPECT_EQ(project_.read("runs/flowers-tune/trials.jsonl"), journal);
  ASSERT_EQ(project_.danlu(command({"--trials", "6", "--threads", "2"})).code, 0);
  const Json more = results();
  EXPECT_EQ(more["trials"].size(), 6u);
  EXPECT_THAT(project_.read("runs/flowers-tune/trials.jsonl"), testing::StartsWith(journal));
  fs::remove_all(project_ / "runs");
  ASSERT_EQ(project_.danlu(command({"--trials", "6"})).code, 0);
  EXPECT_EQ(results(), more);
  // Another space is another search.
  const Outcome other = project_.danlu(command({"--trials", "2", "tune.seed=5"}));
  EXPECT_THAT(other.err, HasSubstr("the search begins again; the earlier one is kept in .previous/flowers-tune"));
  EXPECT_EQ(results()["trials"].size(), 2u);
}

}  // namespace
}  // namespace danlu::test
