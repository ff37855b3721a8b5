#include "danlu/app/recipe/prediction_pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "danlu/app/recipe/predict_files.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/rng.h"
#include "danlu/base/temporary_directory.h"
#include "danlu/data/image/decode.h"
#include "danlu/data/table/csv.h"

namespace danlu::app {
namespace {

using testing::HasSubstr;

// Two clouds of points that a line divides, and a word that helps.
std::string points_csv(int64_t rows, uint64_t seed = 3) {
  Rng rng(seed);
  std::string text = "x,y,colour,kind\n";
  for (int64_t i = 0; i < rows; ++i) {
    const bool far = rng.below(2) == 1;
    const float shift = far ? 2.0f : -2.0f;
    text += fmt::format("{:.4f},{:.4f},{},{}\n", rng.normal() + shift, rng.normal() + shift,
                        rng.below(3) == 0 ? "red" : "blue", far ? "far" : "near");
  }
  return text;
}

class PipelineTest : public testing::Test {
 protected:
  PipelineTest() { write_file_atomic(directory_ / "points.csv", points_csv(200)); }

  Recipe recipe(std::vector<std::string> overrides = {}) {
    overrides.insert(overrides.begin(), {"train.epochs=6", "train.optimizer.lr=0.02", "model=mlp", "model.hidden=[8]"});
    return derive_recipe((directory_ / "points.csv").string(), "kind", overrides);
  }
  RunDirectory run(const char* name = "points") { return RunDirectory(directory_ / "runs" / name); }
  PredictionPipeline pipeline(const std::vector<std::string>& overrides = {}, const char* name = "points") {
    return PredictionPipeline(recipe(overrides), run(name), {});
  }

  TemporaryDirectory directory_;
};

TEST_F(PipelineTest, TheWholeLifeOfATable) {
  PredictionPipeline fresh = pipeline();
  ASSERT_TRUE(fresh.run());
  const auto& report = fresh.quality();
  EXPECT_GT(report->value("accuracy"), 0.9);
  EXPECT_EQ(report->samples, 40);
  EXPECT_EQ(run().status(), "finished");
  for (const char* name : {"recipe.yaml", "resolved.yaml", "data_report.txt", "split.json", "preprocess.json",
                           "metrics.jsonl", "checkpoints/best.safetensors", "checkpoints/last.safetensors",
                           "report.json", "report.txt", "example_request.json", "bundle/model.safetensors",
                           "bundle/config.json", "bundle/preprocess.json", "bundle/metrics.json", "bundle/card.md"}) {
    EXPECT_TRUE(fs::exists(run().file(name))) << name;
  }
  EXPECT_THAT(read_file(run().file("resolved.yaml")), HasSubstr("# column \"colour\""));
  EXPECT_THAT(read_file(run().file("recipe.yaml")), HasSubstr("target: kind"));
}

TEST_F(PipelineTest, SameSeedSameBitsWhateverTheThreads) {
  pipeline({"threads=1"}, "a").run();
  pipeline({"threads=2"}, "b").run();
  EXPECT_EQ(run("a").info()["training"]["weights_hash"], run("b").info()["training"]["weights_hash"]);
  pipeline({"seed=2"}, "c").run();
  EXPECT_NE(run("a").info()["training"]["weights_hash"], run("c").info()["training"]["weights_hash"]);
}

TEST_F(PipelineTest, StagesCanBeRunOneByOneFromTheDirectory) {
  pipeline().run();
  const Json straight = read_json(run().file("report.json"))["metrics"];
  pipeline({}, "steps").prepare();
  EXPECT_EQ(run("steps").status(), "prepared");
  PredictionPipeline(run("steps"), {}).train(train::Start::afresh);
  EXPECT_EQ(run("steps").status(), "trained");
  PredictionPipeline(run("steps"), {}).evaluate();
  EXPECT_EQ(run("steps").status(), "finished");
  EXPECT_EQ(read_json(run("steps").file("report.json"))["metrics"], straight);
}

TEST_F(PipelineTest, TrainingAgainLeavesNothingStale) {
  pipeline().run();
  PredictionPipeline(run(), {}).train(train::Start::afresh);
  EXPECT_FALSE(fs::exists(run().bundle()));
  EXPECT_FALSE(fs::exists(run().file("report.json")));
  PredictionPipeline(run(), {}).evaluate();
  EXPECT_TRUE(fs::exists(run().bundle() / "config.json"));
}

TEST_F(PipelineTest, DataThatChangedAreRefused) {
  pipeline().prepare();
  write_file_atomic(directory_ / "points.csv", points_csv(200, 4));
  try {
    PredictionPipeline(run(), {}).train(train::Start::afresh);
    ADD_FAILURE() << "no error";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("has changed since"));
  }
  EXPECT_EQ(run().status(), "failed");
  EXPECT_THAT(run().info()["error"].get<std::string>(), HasSubstr("has changed since"));
}

TEST_F(PipelineTest, WhatCannotBePreparedLeavesNoTraceAndCostsNoEarlierRun) {
  EXPECT_THROW(pipeline({"data.columns.x.type=date"}).run(), Error);
  EXPECT_THROW(pipeline({"evaluate.metrics=[acuracy]"}).run(), ConfigError);
  EXPECT_THROW(pipeline({"data.split.test=0"}).run(), ConfigError);
  EXPECT_THROW(pipeline({"model=cnn"}).run(), Error);
  EXPECT_FALSE(fs::exists(run().path()));
  pipeline().run();
  EXPECT_THROW(pipeline({"evaluate.metrics=[acuracy]"}).run(), ConfigError);
  EXPECT_EQ(run().status(), "finished");
}

TEST_F(PipelineTest, AStopOnRequestIsOrderly) {
  const std::atomic<bool> stop{true};
  Observer observer;
  observer.training.stop_requested = &stop;
  EXPECT_FALSE(PredictionPipeline(recipe(), run(), observer).run());
  EXPECT_EQ(run().status(), "stopped");
  EXPECT_TRUE(fs::exists(run().checkpoints() / "last.safetensors"));
  PredictionPipeline(run(), {}).evaluate();
  EXPECT_GT(read_json(run().file("report.json"))["samples"].get<int64_t>(), 0);
}

TEST_F(PipelineTest, KfoldTestsEverySampleOnceARound) {
  PredictionPipeline fresh = pipeline({"evaluate.kfold={folds: 4, repeats: 2}"});
  fresh.run();
  const Json kfold = read_json(run().file("kfold.json"));
  ASSERT_EQ(kfold["scores"].size(), 8u);
  std::vector<int> seen(200, 0);
  for (const Json& fold : kfold["scores"]) {
    for (const int64_t i : fold["test"].get<std::vector<int64_t>>()) ++seen[static_cast<size_t>(i)];
  }
  EXPECT_EQ(seen, std::vector<int>(200, 2));
  EXPECT_GT(kfold["mean"].get<double>(), 0.9);
  EXPECT_LE(kfold["interval"][0].get<double>(), kfold["mean"].get<double>());
}

TEST_F(PipelineTest, WhatIsDecidedOnHeldOutSamplesIsWhatPredictAnswers) {
  const std::vector<std::string> decision = {"decision={folds: 3, calibrate: always, threshold: cost, costs: {false_negative: 20}, abstain: {coverage: 0.7}}",
                                             "data.split.validation=0", "train.early_stop=0", "train.epochs=5", "evaluate.demographic=[colour]",
                                             "evaluate.gates={coverage: 0.1, mean_cost: 20}"};
  {
    PredictionPipeline fresh = pipeline(decision);
    fresh.run();
    EXPECT_TRUE(fresh.gates()["passed"].get<bool>());
  }
  const Json config = read_json(run().bundle() / "config.json"), report = read_json(run().file("report.json"));
  const double threshold = config["decision"]["threshold"], confidence = config["decision"]["least_confidence"];
  EXPECT_NE(threshold, 0.5);
  EXPECT_GT(confidence, 0);
  EXPECT_NE(config["decision"]["scale"], 1.0);
  EXPECT_EQ(report["threshold"], config["decision"]["threshold"]);
  EXPECT_EQ(report["decision"]["found"]["samples"], 160);  // all that train
  EXPECT_GT(report["metrics"]["coverage"]["value"].get<double>(), 0.4);
  EXPECT_EQ(report["groups"]["colour"]["groups"].size(), 2u);
  EXPECT_THAT(read_file(run().file("report.html")), HasSubstr("The answer is &quot;abstain&quot; below a confidence of "));
  EXPECT_THAT(read_file(run().bundle() / "card.md"), HasSubstr("Probabilities are calibrated: logits become "));

  infer::Predictor predictor(run().bundle());
  std::istringstream lines(predict_files(predictor, {directory_ / "points.csv"}, AnswerForm::jsonl));
  const std::string positive = config["class_names"][1], negative = config["class_names"][0];
  std::map<std::string, int> seen;
  for (std::string line; std::getline(lines, line);) {
    const Json answer = parse_json(line, "answer");
    const double p = answer["probabilities"][positive], odds = p / (1 - p) * (1 - threshold) / threshold;
    const double sure = std::max(odds, 1 / odds) / (1 + std::max(odds, 1 / odds));
    const std::string label = answer["label"];
    ++seen[label];
    if (std::abs(sure - confidence) < 1e-4) continue;  // JSON has fewer digits
    EXPECT_EQ(label, sure < confidence ? "abstain" : p >= threshold ? positive : negative) << line;
  }
  EXPECT_GT(seen["abstain"], 0);
  EXPECT_GT(seen[positive], 0);
  EXPECT_GT(seen[negative], 0);

  // Nobody has to train again to decide otherwise.
  const std::string weights = run().info()["training"]["weights_hash"];
  PredictionPipeline(run(), {}).bundle();
  EXPECT_EQ(read_json(run().bundle() / "config.json")["decision"], config["decision"]);
  EXPECT_EQ(run().info()["training"]["weights_hash"], weights);
}

TEST_F(PipelineTest, RegressionInTheUnitOfTheTarget) {
  Rng rng(5);
  std::string text = "a,b,price\n";
  for (int i = 0; i < 300; ++i) {
    const float a = rng.normal(), b = rng.normal();
    text += fmt::format("{:.4f},{:.4f},{:.3f}\n", a, b, 5000 + 300 * a - 100 * b);
  }
  write_file_atomic(directory_ / "prices.csv", text);
  const Recipe recipe = derive_recipe((directory_ / "prices.csv").string(), "price",
                                      {"model=logistic", "train.epochs=100", "train.optimizer.lr=0.02"});
  PredictionPipeline prices(recipe, run("prices"), {});
  prices.run();
  const auto& report = prices.quality();
  EXPECT_GT(report->value("r2"), 0.99);
  EXPECT_LT(report->value("mae"), 30);
}

TEST_F(PipelineTest, FilesAreAnsweredLikeTheTestSplit) {
  pipeline().run();
  infer::Predictor predictor(run().bundle());
  write_file_atomic(directory_ / "new.csv", "colour,y,x\nblue,2,2.5\nred,-2,-2\n");
  const std::string answers = predict_files(predictor, {directory_ / "new.csv"}, AnswerForm::csv);
  EXPECT_THAT(answers, testing::StartsWith("line,label,p_far,p_near\n2,far,"));
  EXPECT_THAT(answers, HasSubstr("\n3,near,"));
  const std::string lines = predict_files(predictor, {directory_ / "new.csv"}, AnswerForm::jsonl);
  const Json first = parse_json(lines.substr(0, lines.find('\n')), "first line");
  EXPECT_EQ(first["line"], 2);
  EXPECT_EQ(first["label"], "far");
  EXPECT_NEAR(first["probabilities"]["far"].get<double>() + first["probabilities"]["near"].get<double>(), 1, 1e-6);
  write_file_atomic(directory_ / "short.csv", "x,colour\n1,red\n");
  EXPECT_THROW(predict_files(predictor, {directory_ / "new.csv", directory_ / "short.csv"}, AnswerForm::csv),
               DataError);
}

TEST(PipelineOfImages, TheWholeLifeOfAFolder) {
  const TemporaryDirectory directory;
  Rng rng(7);
  for (int i = 0; i < 60; ++i) {
    const bool bright = i % 2 == 0;
    data::Image image{8, 8, 1, {}};
    for (int p = 0; p < 64; ++p) image.pixels.push_back(static_cast<uint8_t>((bright ? 150 : 20) + rng.below(80)));
    write_file_atomic(directory / "set" / (bright ? "bright" : "dark") / fmt::format("{}.png", i),
                      data::encode_png(image));
  }
  const Recipe recipe = derive_recipe((directory / "set").string(), "",
                                      {"train.epochs=8", "model={type: cnn, layers: [{conv: 4}, relu, flatten]}"});
  const RunDirectory run(directory / "run");
  PredictionPipeline pipeline(recipe, run, {});
  pipeline.run();
  const auto& report = pipeline.quality();
  EXPECT_GT(report->value("accuracy"), 0.9);
  const Json request = read_json(run.file("example_request.json"));
  EXPECT_EQ(request["model"], "set");
  EXPECT_TRUE(request["image"].is_string());

  infer::Predictor predictor(run.bundle());
  const std::string answers = predict_files(predictor, {directory / "set" / "dark"}, AnswerForm::csv);
  EXPECT_THAT(answers, testing::StartsWith("file,label,p_bright,p_dark\n"));
  EXPECT_THAT(answers, HasSubstr("1.png,dark,"));
}

}  // namespace
}  // namespace danlu::app
