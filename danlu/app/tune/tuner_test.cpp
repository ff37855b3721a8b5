#include "danlu/app/tune/tuner.h"

#include <gmock/gmock.h>

#include <set>

#include "danlu/app/tune/results.h"
#include "danlu/app/tune/trial_metrics.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/rng.h"
#include "danlu/base/temporary_directory.h"

namespace danlu::app {
namespace {

using testing::HasSubstr;
using testing::Not;

class TunerTest : public testing::Test {
 protected:
  TunerTest() {
    Rng rng(3);
    std::string table = "x,y,kind\n";
    for (int64_t i = 0; i < 200; ++i) {
      const bool far = rng.below(2) == 1;
      table += fmt::format("{:.4f},{:.4f},{}\n", rng.normal() + (far ? 1 : -1), rng.normal(), far ? "far" : "near");
    }
    write_file_atomic(files_ / "points.csv", table);
    std::string text;
    for (int i = 0; i < 300; ++i) text += fmt::format("the kiln of day {} glows, and cinnabar turns to silver\n", rng.below(50));
    write_file_atomic(files_ / "kiln.txt", text);
  }

  Recipe recipe(std::vector<std::string> overrides, const char* file = "points.csv", const char* target = "kind") {
    return derive_recipe((files_ / file).string(), target, overrides);
  }
  Recipe points(std::vector<std::string> overrides = {}) {
    overrides.insert(overrides.begin(), {"train.epochs=4", "tune.trials=4", "tune.tpe.startup=2",
                                         "tune.space={train.optimizer.lr: {log_uniform: [1e-3, 1e-1]}, model.hidden: {choice: [[4], [8, 8]]}}"});
    return recipe(overrides);
  }
  RunDirectory directory() { return RunDirectory(files_ / "runs/points-tune"); }
  TemporaryDirectory files_;
};

TEST_F(TunerTest, EveryTrialIsTheRunThatItsRecipeWouldBe) {
  Tuner tuner(points(), directory(), {});
  ASSERT_TRUE(tuner.run());
  ASSERT_EQ(tuner.search().trials().size(), 4u);
  for (const tune::Trial& trial : tuner.search().trials()) {
    const RunDirectory run = tuner.trial_directory(trial.number);
    EXPECT_EQ(run.status(), "trained");
    const RunDirectory alone(files_ / fmt::format("runs/alone-{}", trial.number));
    open_pipeline(load_recipe(run.file("recipe.yaml")), alone, {})->run();
    EXPECT_EQ(trial.facts["weights_hash"], alone.info()["training"]["weights_hash"]);
    EXPECT_EQ(trial.value, read_trial_metrics(alone, "loss").value);
    EXPECT_EQ(*trial.value, alone.info()["training"]["best_value"].get<double>());
  }
  EXPECT_EQ(tuner.best_directory().info()["training"]["weights_hash"], tuner.search().best()->facts["weights_hash"]);
}

TEST_F(TunerTest, TheTestSplitIsReadByTheWinnerAlone) {
  Tuner tuner(points(), directory(), {});
  ASSERT_TRUE(tuner.run());
  for (const tune::Trial& trial : tuner.search().trials()) {
    const RunDirectory run = tuner.trial_directory(trial.number);
    EXPECT_FALSE(fs::exists(run.file("report.json")));
    EXPECT_FALSE(fs::exists(run.bundle()));
    EXPECT_FALSE(fs::exists(run.checkpoints() / "last.safetensors")) << "nothing goes on from it any more";
    EXPECT_TRUE(fs::exists(run.checkpoints() / "best.safetensors"));
  }
  EXPECT_EQ(tuner.best_directory().status(), "finished");
  EXPECT_TRUE(fs::exists(tuner.best_directory().file("report.json")));
  EXPECT_TRUE(fs::exists(tuner.best_directory().bundle() / "model.safetensors"));
}

TEST_F(TunerTest, TheWinnerIsTrainedAgainWithoutWhatWasSetForTrials) {
  Tuner tuner(points({"tune.trial={train.epochs: 1, data.split.validation: 0.3}"}), directory(), {});
  ASSERT_TRUE(tuner.run());
  const tune::Trial& best = *tuner.search().best();
  EXPECT_EQ(best.facts["epochs"], 1);
  const Json info = tuner.best_directory().info();
  EXPECT_EQ(info["training"]["epochs"], 4);
  const Recipe resolved = reopen_recipe(tuner.best_directory().file("resolved.yaml"));
  EXPECT_EQ(resolved.train.optimizer["lr"], tune::to_json(tuner.search().space(), best.point)["train.optimizer.lr"]);
  EXPECT_LT(resolved.data.split.validation, 0.3);
}

TEST_F(TunerTest, SuccessiveHalvingGoesOnFromCheckpoints) {
  Tuner tuner(points({"tune.method=asha", "tune.trials=6", "train.epochs=9", "train.early_stop=0"}), directory(), {});
  ASSERT_TRUE(tuner.run());
  std::multiset<double> epochs;
  for (const tune::Trial& trial : tuner.search().trials()) epochs.insert(trial.facts["epochs"].get<double>());
  EXPECT_EQ(*epochs.begin(), 1);
  EXPECT_EQ(*epochs.rbegin(), 9);
  EXPECT_GE(epochs.count(3), 1u);
  // What was stopped twice on the way has the weights of a run that never was.
  const tune::Trial& best = *tuner.search().best();
  const RunDirectory alone(files_ / "runs/alone");
  open_pipeline(load_recipe(tuner.trial_directory(best.number).file("recipe.yaml")), alone, {})->run();
  EXPECT_EQ(best.facts["weights_hash"], alone.info()["training"]["weights_hash"]);
}

TEST_F(TunerTest, AccuracyIsMaximized) {
  Tuner tuner(points({"tune.metric=accuracy"}), directory(), {});
  ASSERT_TRUE(tuner.run());
  for (const tune::Trial& trial : tuner.search().trials()) {
    EXPECT_LE(*trial.value, *tuner.search().best()->value);
    EXPECT_LE(*trial.value, 1);
  }
  EXPECT_EQ(read_json(directory().file("tune.json"))["direction"], "maximize");
}

TEST_F(TunerTest, TextIsTokenizedOnce) {
  const std::vector<std::string> overrides = {"model={type: gpt, layers: 1, heads: 2, width: 16, context: 16}", "tokenizer.vocab_size=300", "train.epochs=1",
                                              "data.text.documents=line", "data.text.clean.duplicates=false", "tune.trials=3", "tune.space={train.optimizer.lr: {log_uniform: [1e-4, 1e-2]}}"};
  Tuner tuner(recipe(overrides, "kiln.txt", ""), directory(), {});
  ASSERT_TRUE(tuner.run());
  for (const tune::Trial& trial : tuner.search().trials()) {
    const fs::path tokens = list_files(tuner.trial_directory(trial.number).file("tokens"), false).front();
    EXPECT_EQ(fs::hard_link_count(tokens), 3u);
    const RunDirectory alone(files_ / fmt::format("runs/alone-{}", trial.number));
    open_pipeline(load_recipe(tuner.trial_directory(trial.number).file("recipe.yaml")), alone, {})->run();
    EXPECT_EQ(trial.facts["weights_hash"], alone.info()["training"]["weights_hash"]);
  }
  EXPECT_EQ(tuner.best_directory().status(), "finished");
}

TEST_F(TunerTest, DataThatChangesIsNoticed) {
  ASSERT_TRUE(Tuner(points({"tune.trials=2"}), directory(), {}).run());
  write_file_atomic(files_ / "points.csv", read_file(files_ / "points.csv") + "0.1,0.2,far\n");
  try {
    Tuner(points({"tune.trials=3"}), directory(), {}).run();
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("points.csv has changed since the search began; begin again with --fresh"));
  }
  EXPECT_TRUE(Tuner(points({"tune.trials=3"}), directory(), {}).run(true));
}

TEST_F(TunerTest, TheTimeEndsIt) {
  Tuner tuner(points({"tune.trials=100000", "tune.time=0.5s"}), directory(), {});
  ASSERT_TRUE(tuner.run());
  EXPECT_GE(tuner.search().trials().size(), 1u);
  EXPECT_LT(tuner.search().trials().size(), 1000u);
  EXPECT_GE(tuner.search().seconds(), 0.4);
}

TEST_F(TunerTest, ThePageHasEveryTrialAndNothingFromOutside) {
  Tuner tuner(points({"tune.space={train.optimizer.lr: {choice: [1e-2, 1e6]}, train.optimizer.type: {choice: [sgd, adamw]}}", "tune.method=grid"}), directory(), {});
  ASSERT_TRUE(tuner.run());
  const std::string page = read_file(directory().file("tune.html"));
  for (int trial = 1; trial <= 4; ++trial) EXPECT_THAT(page, HasSubstr(fmt::format("<tr data-trial=\"{}\">", trial)));
  for (const char* outside : {"http:", "https:", "src=", "url(", "@import"}) EXPECT_THAT(page, Not(HasSubstr(outside)));
  for (const char* place : {"=\"nan", "=\"-nan", "=\"inf", ",nan", ",-nan", ",inf"}) EXPECT_THAT(page, Not(HasSubstr(place)));
}

TEST(TunePage, TextsFromTheRecipeAreNoMarkup) {
  const Json space = {{"key", "model.type"}, {"kind", "choice"}, {"log", false}, {"low", nullptr}, {"high", nullptr}, {"choices", {"<script>alert(1)</script>", "b"}}};
  const Json trial = {{"trial", 1}, {"state", "finished"}, {"value", 0.5}, {"params", {{"model.type", "<script>alert(1)</script>"}}}, {"seconds", 1}};
  const Json page = {{"name", "a\"<b>"}, {"method", "tpe"}, {"metric", "validation loss"}, {"direction", "minimize"}, {"space", {space}}, {"trials", {trial}},
                     {"importance", {{"model.type", 0.5}}}, {"best", trial}};
  const std::string html = tune_page(page);
  EXPECT_THAT(html, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;"));
  EXPECT_THAT(html, HasSubstr("<h1>a&quot;&lt;b&gt;</h1>"));
}

TEST(TuneTable, TheBestComesFirst) {
  const auto trial = [](int number, const Json& value, const char* state) {
    return Json{{"trial", number}, {"state", state}, {"value", value}, {"params", {{"train.optimizer.lr", 0.01 * number}}}, {"seconds", 1.0}};
  };
  Json results = {{"metric", "validation loss"}, {"direction", "minimize"}, {"space", {{{"key", "train.optimizer.lr"}}}},
                  {"trials", {trial(1, 0.5, "finished"), trial(2, nullptr, "failed"), trial(3, 0.25, "finished")}}, {"importance", {{"train.optimizer.lr", 0.75}}}};
  std::string table = tune_table(results);
  EXPECT_LT(table.find("0.25  finished"), table.find("0.5  finished"));
  EXPECT_LT(table.find("0.5  finished"), table.find("failed"));
  EXPECT_THAT(table, HasSubstr("lr 0.75"));
  results["direction"] = "maximize";
  table = tune_table(results);
  EXPECT_LT(table.find("0.5  finished"), table.find("0.25  finished"));
}

TEST(TuneTable, OverridesCanBePutOnACommandLine) {
  EXPECT_EQ(as_overrides({{"train.optimizer.lr", 0.003}, {"model.hidden", {128, 64}}, {"model.type", "mlp"}}), "train.optimizer.lr=0.003 'model.hidden=[128,64]' model.type=mlp");
}

}  // namespace
}  // namespace danlu::app
