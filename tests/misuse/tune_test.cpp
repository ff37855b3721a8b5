// Searches that make no sense are refused before anything is written; trials that fail are not the end of a search.
#include "danlu/base/json.h"
#include "tests/misuse/refusal.h"
#include "tests/samples.h"

namespace danlu::test {
namespace {

class BadSearch : public testing::Test {
 protected:
  BadSearch() { project_.write("points.csv", points_csv(200)); }
  static Words tune(const std::string& space, Words more = {"tune.trials=3"}) {
    Words words = {"tune", "--data", "points.csv", "--target", "kind", "train.epochs=3", "tune.space=" + space};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  void refuses(const std::string& space, const Words& words) { expect_refused(project_, tune(space), kUsage, words); }
  Project project_;
};

const char* const kRates = "{train.optimizer.lr: {log_uniform: [1e-3, 1e-1]}}";

TEST_F(BadSearch, AnUnknownKeyNamesTheNearest) {
  refuses("{train.bacth_size: {int: [8, 64]}}", {"tune.space.train.bacth_size: unknown key \"train.bacth_size\"; did you mean \"train.batch_size\"?"});
  refuses("{model.hiden: {choice: [[8], [16]]}}", {"tune.space.model.hiden: [8] does not do: ", "did you mean \"hidden\"?"});
  refuses("{train.optimizer.momentun: {uniform: [0, 1]}}", {"momentun"});
  expect_refused(project_, tune(kRates, {"tune.trials=3", "tune.trial={train.epoch: 2}"}), kUsage,
                 {"tune.trial.train.epoch: unknown key \"train.epoch\"; did you mean \"train.epochs\"?"});
  expect_refused(project_, tune(kRates, {"tune.trails=3"}), kUsage, {"unknown key \"tune.trails\"; did you mean \"trials\"?"});
}

TEST_F(BadSearch, TheLineOfTheFileIsNamed) {
  project_.write("recipe.yaml", "data:\n  source: points.csv\n  target: kind\ntune:\n  space:\n    train.batch_size: {int: [8, 64]}\n    model.hidden: {choice: []}\n");
  for (const char* verb : {"tune", "run", "check"}) {
    expect_refused(project_, {verb, "recipe.yaml"}, kUsage, {"recipe.yaml:7: tune.space.model.hidden: choice: got []; expected a list of at least one value"});
  }
}

TEST_F(BadSearch, RangesThatAreNone) {
  refuses("{train.optimizer.lr: {log_uniform: [0, 0.1]}}", {"got [0,0.1]; expected a range above 0 for a logarithm"});
  refuses("{train.optimizer.lr: {log_uniform: [-1, 0.1]}}", {"expected a range above 0"});
  refuses("{train.optimizer.lr: {uniform: [0.1, 0.01]}}", {"expected the lower bound first"});
  refuses("{train.batch_size: {int: [0, 64]}}", {"tune.space.train.batch_size: 0 does not do: ", "train.batch_size: got 0; expected"});
  refuses("{train.optimizer.lr: {unifrom: [0, 1]}}", {"did you mean \"uniform\"?"});
  refuses("[1, 2]", {"tune.space: got [1,2]; expected a group"});
}

TEST_F(BadSearch, KeysThatTrialsAreComparedBy) {
  refuses("{data.split.seed: {int: [1, 9]}}", {"tune.space.data.split.seed: cannot be searched"});
  refuses("{train.label_smoothing: {uniform: [0, 0.2]}}", {"cannot be searched by the loss, whose meaning it changes"});
  refuses("{train.classification_loss: {choice: [cross_entropy, squared_hinge]}}", {"cannot be searched by the loss, whose meaning it changes"});
  refuses("{train.class_weights: {choice: [none, balanced]}}", {"tune.space.train.class_weights: cannot be searched by the loss"});
  project_.write("groups.yaml", "data: {source: points.csv}\nmodel: kmeans\ntune: {trials: 3, space: {model.clusters: {int: [2, 9]}}}\n");
  expect_refused(project_, {"check", "groups.yaml"}, kUsage, {"groups.yaml:3: tune.space.model.clusters: cannot be searched by the loss"});
  project_.write("targets.yaml", "data: {source: points.csv, targets: {kind: {}, x: {}}}\ntune: {trials: 3, space: {data.targets.x.weight: {uniform: [0.1, 9]}}}\n");
  expect_refused(project_, {"check", "targets.yaml"}, kUsage, {"targets.yaml:2: tune.space.data.targets.x.weight: cannot be searched by the loss"});
  expect_refused(project_, tune("{train.label_smoothing: {uniform: [0, 0.2]}}", {"tune.trials=1", "tune.metric=acuracy"}), kUsage, {"acuracy", "did you mean \"accuracy\"?"});
}

TEST_F(BadSearch, NoBudgetNoSpaceNoValidation) {
  expect_refused(project_, tune(kRates, {}), kUsage, {"nothing ends the search; set tune.trials or tune.time, or say --trials 20 or --time 10m"});
  expect_refused(project_, {"tune", "--data", "points.csv", "--target", "kind", "--trials", "3"}, kUsage, {"tune.space is empty"});
  expect_refused(project_, tune(kRates, {"--trials", "3", "data.split.validation=0"}), kUsage, {"there is no validation split", "tune: {trial: {data.split.validation: 0.2}}"});
  expect_refused(project_, tune(kRates, {"--trials", "none"}), kUsage, {"tune.trials: got \"none\"; expected a whole number"});
  expect_refused(project_, tune(kRates, {"--time", "soon"}), kUsage, {"tune.time", "soon"});
}

TEST_F(BadSearch, AMetricThatTheTaskDoesNotHave) {
  project_.write("houses.csv", houses_csv(100));
  expect_refused(project_, {"tune", "--data", "houses.csv", "--target", "price", "--trials", "2", "tune.metric=accuracy", fmt::format("tune.space={}", kRates)}, kUsage,
                 {"tune.metric: got accuracy, which this task does not have; expected loss"});
}

TEST_F(BadSearch, ATrialThatDivergesIsRecordedAndTheSearchGoesOn) {
  const Outcome outcome = project_.danlu(tune("{train.optimizer.lr: {choice: [1e-2, 1e6]}, train.optimizer.type: {choice: [sgd]}}", {"--method", "grid"}));
  ASSERT_EQ(outcome.code, 0) << outcome;
  EXPECT_THAT(outcome.out, testing::HasSubstr("failed: [learn.train]"));
  const Json results = read_json(project_ / "runs/points-tune/tune.json");
  ASSERT_EQ(results["trials"].size(), 2u);
  EXPECT_EQ(results["trials"][0]["state"], "finished");
  EXPECT_EQ(results["trials"][1]["state"], "failed");
  EXPECT_EQ(results["best"]["trial"], 1);
}

TEST_F(BadSearch, WhereEveryTrialFailsItEnds) {
  const Outcome outcome = project_.danlu(tune("{train.optimizer.lr: {uniform: [5e5, 1e6]}, train.optimizer.type: {choice: [sgd]}}", {"--trials", "50"}));
  EXPECT_EQ(outcome.code, kFailed) << outcome;
  EXPECT_THAT(outcome.err, testing::HasSubstr("the first 5 trials failed"));
  EXPECT_EQ(project_.run("points-tune").status(), "failed");
}

}  // namespace
}  // namespace danlu::test
