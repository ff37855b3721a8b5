// Runs that are killed again and again, with another number of threads each time, and go on by the same command: in the end the
// weights are those of the run that nobody disturbed, to the bit.
//
// DANLU_TEST_KILLS=200 for the long form.
#include <gmock/gmock.h>

#include <cstdlib>
#include <sstream>

#include "danlu/base/json.h"
#include "danlu/base/rng.h"
#include "danlu/engine/kernels/matmul_precision.h"
#include "tests/program.h"
#include "tests/samples.h"

namespace danlu::test {
namespace {

using testing::HasSubstr;

int kills_wanted() {
  const char* text = std::getenv("DANLU_TEST_KILLS");
  return text == nullptr ? 8 : std::atoi(text);
}

class ResumeCrash : public testing::Test {
 protected:
  void sleep_for(double seconds) const { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

  void expect_same_end(const Words& words, const char* name) {
    const Words one_thread = {"OMP_NUM_THREADS=1"}, two_threads = {"OMP_NUM_THREADS=2"};
    const Timer timer;
    const Outcome straight = project_.danlu(words, one_thread);
    const double whole = timer.seconds();
    ASSERT_EQ(straight.code, 0) << straight;
    const Json expected = project_.run(name).info()["training"];
    const std::string metrics = steps_of(name);
    EXPECT_THAT(straight.out, HasSubstr("weights " + expected["weights_hash"].get<std::string>()));

    Rng rng(4);
    int kills = 0, ends = 0;
    while (kills < kills_wanted() || ends == 0) {
      fs::remove_all(project_ / "runs");
      for (bool ended = false; !ended;) {
        const auto process = project_.start(words, rng.below(2) == 0 ? one_thread : two_threads);
        sleep_for(whole * rng.uniform());
        ended = kills >= kills_wanted() || !process->is_running();
        if (!ended) {
          process->signal(SIGKILL);
          ended = process->wait().code == 0;
          kills += ended ? 0 : 1;
        }
        if (!ended) continue;
        const Outcome last = process->wait();
        ASSERT_EQ(last.code, 0) << last;
      }
      ++ends;
      Json training = project_.run(name).info()["training"];
      for (const char* key : {"weights_hash", "steps", "best_step", "best_value", "terms", "stopped_by"}) {
        EXPECT_EQ(training[key], expected[key]) << key << " after " << kills << " kills";
      }
      EXPECT_EQ(steps_of(name), metrics);
      EXPECT_EQ(project_.run(name).status(), "finished");
    }
    RecordProperty("kills", kills);
    RecordProperty("ends", ends);
  }

  // metrics.jsonl without what depends on the clock.
  std::string steps_of(const char* name) const {
    std::string text;
    std::istringstream lines(read_file(project_.run(name).file("metrics.jsonl")));
    for (std::string line; std::getline(lines, line);) {
      Json json = Json::parse(line);
      json.erase("seconds");
      json.erase("cpu_seconds");
      text += json.dump() + "\n";
    }
    return text;
  }

  Project project_;
};

TEST_F(ResumeCrash, Mlp) {
  project_.write("flowers.csv", flowers_csv(3000));
  expect_same_end({"run", "--data", "flowers.csv", "--target", "species", "train.epochs=30", "train.save_every=7",
                   "model={type: mlp, hidden: [32, 16], dropout: 0.2}", "train.schedule=cosine"},
                  "flowers");
}

TEST_F(ResumeCrash, Cnn) {
  write_squares(project_ / "squares", 400);
  expect_same_end({"run", "--data", "squares", "train.epochs=6", "train.save_every=2", "train.batch_size=32", "train.early_stop=0",
                   "model={type: cnn, layers: [{conv: {filters: 8, padding: 1}}, batch_norm, relu, {max_pool: 2}, {conv: {filters: 16, padding: 1}}, "
                   "relu, {dropout: 0.3}, {linear: 32}, relu]}"},
                  "squares");
}

class ResumeCrashGpt : public ResumeCrash, public testing::WithParamInterface<const char*> {};
TEST_P(ResumeCrashGpt, OfEitherPrecision) {
  if (std::string(GetParam()) == "medium" && !kernels::medium_precision_runs()) GTEST_SKIP() << "no format of half precision runs";
  std::string text;
  Rng rng(8);
  constexpr const char* kWords[] = {"the", "kiln", "glows", "and", "cinnabar", "turns", "to", "silver"};
  for (int line = 0; line < 400; ++line) {
    for (int word = 0; word < 8; ++word) text += std::string(kWords[rng.below(8)]) + " ";
    text += "\n\n";
  }
  project_.write("kiln.txt", text);
  expect_same_end({"run", "--data", "kiln.txt", "data.text.documents=blank_line", "data.text.clean.duplicates=false", "tokenizer.vocab_size=300", "train.save_every=3",
                   "model={type: gpt, family: llama, layers: 2, heads: 2, width: 32, context: 32}", "train.epochs=3", "train.batch_size=8",
                   "train.accumulate=2", "train.validate_every=11", std::string("train.matmul_precision=") + GetParam()},
                  "kiln");
}
INSTANTIATE_TEST_SUITE_P(Precisions, ResumeCrashGpt, testing::Values("highest", "medium"));

}  // namespace
}  // namespace danlu::test
