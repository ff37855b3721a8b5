// Distillation: a run of classes learns from the probabilities of another.
#include <gmock/gmock.h>

#include "danlu/base/json.h"
#include "tests/misuse/refusal.h"
#include "tests/program.h"
#include "tests/samples.h"

namespace danlu::test {
namespace {

using testing::HasSubstr;

// Sentences that a word tells the kind of.
std::string notes_csv(int64_t rows) {
  constexpr const char* kWords[2][3] = {{"rain", "storm", "hail"}, {"sun", "warmth", "light"}};
  Rng rng(4);
  std::string csv = "note,weather\n";
  for (int64_t i = 0; i < rows; ++i) {
    const auto kind = static_cast<size_t>(rng.below(2));
    csv += fmt::format("there was {} on day {},{}\n", kWords[kind][rng.below(3)], i, kind == 0 ? "bad" : "good");
  }
  return csv;
}

class Distillation : public testing::Test {
 protected:
  void teach(const std::string& recipe) {
    project_.write("teacher.yaml", recipe);
    const Outcome outcome = project_.danlu({"run", "teacher.yaml", "evaluate.explain_seconds=0"});
    ASSERT_EQ(outcome.code, 0) << outcome;
  }
  // Learns from the teacher alone, not from a single label.
  void expect_learns(const std::string& recipe) {
    project_.write("student.yaml", recipe);
    const Outcome outcome = project_.danlu({"run", "student.yaml", "evaluate.explain_seconds=0", "train.distill={teacher: teacher, temperature: 2, alpha: 1}"});
    ASSERT_EQ(outcome.code, 0) << outcome;
    EXPECT_GT(read_json(project_.run("student").file("report.json"))["metrics"]["accuracy"]["value"].get<double>(), 0.85);
    const Json taught = read_json(project_.run("student").bundle() / "config.json")["training"]["teacher"];
    EXPECT_EQ(taught["run"], "teacher");
    EXPECT_EQ(taught["weights_hash"], read_json(project_.run("teacher").bundle() / "config.json")["training"]["weights_hash"]);
  }
  Project project_;
};

constexpr const char* kPoints = "data: {source: points.csv, target: kind}\ntrain: {epochs: 10, optimizer: {type: adamw, lr: 0.02}}\n";

TEST_F(Distillation, OfRows) {
  project_.write("points.csv", points_csv(300));
  teach(std::string(kPoints) + "model: {type: mlp, hidden: [64, 64]}\n");
  expect_learns(std::string(kPoints) + "model: {type: mlp, hidden: [4]}\n");
  const Outcome verified = project_.danlu({"verify", "student"});
  EXPECT_EQ(verified.code, 0) << verified;
  // Another teacher of the same name is not taken for the one that there was.
  teach(std::string(kPoints) + "seed: 2\nmodel: {type: mlp, hidden: [64, 64]}\n");
  const Outcome again = project_.danlu({"train", "student"});
  EXPECT_EQ(again.code, kFailed) << again;
  EXPECT_THAT(again.err, testing::AllOf(HasSubstr("teacher has changed since"), HasSubstr("prepare it again")));
}

TEST_F(Distillation, OfThreeClasses) {
  project_.write("flowers.csv", flowers_csv(400));
  const std::string data = "data: {source: flowers.csv, target: species}\ntrain: {epochs: 15, optimizer: {type: adamw, lr: 0.02}}\n";
  teach(data + "model: {type: mlp, hidden: [64]}\n");
  expect_learns(data + "model: {type: mlp, hidden: [6]}\n");
}

TEST_F(Distillation, OfImages) {
  write_squares(project_ / "squares", 120);
  const std::string data = "data: {source: squares}\ntrain: {epochs: 5, batch_size: 16}\n";
  teach(data + "model: cnn\n");
  expect_learns(data + "model: {type: mlp, hidden: [8]}\n");
}

TEST_F(Distillation, OfTextsByAModelThatReadsThemOtherwise) {
  project_.write("notes.csv", notes_csv(400));
  const std::string data = "data: {source: notes.csv, target: weather, text: {column: note}, split: {on_overlap: keep}}\n";
  teach(data + "ngrams: {words: [1, 2]}\ntrain: {epochs: 10}\n");
  expect_learns(data + "model: bag_of_tokens\ntokenizer: {vocab_size: 300}\ntrain: {epochs: 25, optimizer: {type: adamw, lr: 0.01}}\n");
}

TEST_F(Distillation, RefusesATeacherThatWillNotDo) {
  project_.write("points.csv", points_csv(300));
  project_.write("flowers.csv", flowers_csv(200));
  teach(std::string(kPoints) + "model: {type: mlp, hidden: [16]}\n");
  project_.write("student.yaml", kPoints);
  const auto refused = [&](const Words& more, int code, const std::string& words) {
    Words all = {"run", "student.yaml", "train.distill.teacher=teacher"};
    all.insert(all.end(), more.begin(), more.end());
    expect_refused(project_, all, code, {words});
  };
  refused({"train.distill.teacher=techer"}, kFailed, "teacher");
  refused({"name=teacher"}, kUsage, "this run itself");
  refused({"data={source: flowers.csv, target: species}"}, kUsage, "teacher tells far, near; expected a model of the classes of this run");
  refused({"data={source: flowers.csv, target: width}"}, kUsage, "train.distill: got a regression task");
  refused({"data.split.seed=5"}, kFailed, "of the 60 samples that this run tests on");
  refused({"train.classification_loss=squared_hinge", "decision.calibrate=always"}, kUsage, "margins have no probabilities");
  refused({"evaluate.kfold.folds=3"}, kUsage, "evaluate.kfold");
  refused({"train.distill.alpha=2"}, kUsage, "train.distill.alpha");
  expect_refused(project_, {"run", "student.yaml", "train.distill.alpha=0.3"}, kUsage, {"train.distill.teacher"});
  EXPECT_FALSE(fs::exists(project_ / "runs/student")) << "refused before anything is written";
}

}  // namespace
}  // namespace danlu::test
