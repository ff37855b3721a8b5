// Several targets of their own kinds from one model, from the file to the served answer.
#include <gmock/gmock.h>

#include "danlu/base/json.h"
#include "danlu/base/rng.h"
#include "tests/client.h"
#include "tests/misuse/refusal.h"
#include "tests/program.h"
#include "tests/same_weights.h"

namespace danlu::test {
namespace {

using testing::HasSubstr;

// What a flat costs, of which of three kinds it is, and whether it is let at once: all told by its size and its floor.
std::string flats_csv(int64_t rows) {
  Rng rng(7);
  std::string csv = "size,floor,text,price,kind,let\n";
  for (int64_t i = 0; i < rows; ++i) {
    const float size = 20 + 100 * rng.uniform();
    const int64_t floor = rng.below(8);
    const char* kind = size < 45 ? "studio" : size < 80 ? "flat" : "loft";
    csv += fmt::format("{:.1f},{},\"A {} on floor {}\",{:.0f},{},{}\n", size, floor, kind, floor, 300 + 12 * size + 20 * static_cast<float>(floor) + 10 * rng.normal(), kind, floor >= 4 ? "yes" : "no");
  }
  return csv;
}

class SeveralTargets : public testing::Test {
 protected:
  SeveralTargets() {
    project_.write("flats.csv", flats_csv(800));
    project_.write("flats.yaml", R"(
data:
  source: flats.csv
  columns: {text: {drop: true}}
  targets:
    price: {weight: 2}
    kind: {classes: [studio, flat, loft]}
    let: {}
model: {type: mlp, hidden: [32]}
train: {epochs: 60, batch_size: 32, optimizer: {type: adamw, lr: 1e-2}}
)");
    project_.write("texts.yaml", R"(
data:
  source: flats.csv
  text: {column: text}
  split: {on_overlap: keep}
  targets: {kind: {}, let: {}}
tokenizer: {vocab_size: 300}
model: {type: gru, embedding: 16, hidden: 16, dropout: 0}
train: {epochs: 15, batch_size: 32, optimizer: {type: adamw, lr: 1e-2}}
)");
  }
  double value(const char* run, const char* metric) const { return read_json(project_.run(run).file("report.json"))["metrics"][metric]["value"].get<double>(); }
  Project project_;
};

TEST_F(SeveralTargets, FromTheFileToTheServedAnswer) {
  const Outcome run = project_.danlu({"run", "flats.yaml", "evaluate.gates={kind.accuracy: 0.9, price.r2: 0.9}"});
  ASSERT_EQ(run.code, 0) << run;
  EXPECT_GT(value("flats", "let.auc"), 0.98);
  EXPECT_LT(value("flats", "price.rmse"), 60);
  EXPECT_FALSE(read_json(project_.run("flats").file("report.json"))["targets"]["kind"]["confusion"].empty());
  const Json validated = project_.run("flats").lines("metrics.jsonl").back();
  for (const char* measure : {"price.loss", "kind.loss", "let.loss", "kind.accuracy", "let.accuracy"}) EXPECT_TRUE(validated[measure].is_number()) << measure;
  const std::string page = project_.read("runs/flats/report.html");
  for (const char* heading : {"<h3>price</h3>", "<h3>kind</h3>", "<h3>let</h3>", "let: ROC-AUC"}) EXPECT_THAT(page, HasSubstr(heading));

  project_.write("new.csv", "size,floor\n30,7\n110,0\n");
  const Outcome predicted = project_.danlu({"predict", "flats", "new.csv"});
  ASSERT_EQ(predicted.code, 0) << predicted;
  const std::vector<Json> said = json_lines(predicted.out);
  ASSERT_EQ(said.size(), 2u);
  EXPECT_EQ(said[0]["targets"]["kind"]["label"], "studio");
  EXPECT_EQ(said[0]["targets"]["let"]["label"], "yes");
  EXPECT_NEAR(said[0]["targets"]["price"]["value"].get<double>(), 300 + 12 * 30 + 20 * 7, 80) << "in the column's own unit";
  EXPECT_EQ(said[1]["targets"]["kind"]["label"], "loft");
  const ServedModels server(project_, {"flats"});
  const Json answer = post(server.port(), R"({"rows": [{"size": 30, "floor": 7}, {"size": 110, "floor": 0}]})").json();
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(answer["predictions"][i]["targets"], said[i]["targets"]);
  EXPECT_EQ(post(server.port(), R"({"rows": [{"size": 30, "floor": 7}], "explain": true})").status, 422);
  ASSERT_EQ(project_.danlu({"predict", "flats", "new.csv", "-o", "answers.csv"}).code, 0);
  EXPECT_THAT(project_.read("answers.csv"), testing::StartsWith("line,kind,let,price\n2,studio,yes,"));
  EXPECT_EQ(project_.danlu({"verify", "flats"}).code, 0);
  EXPECT_EQ(project_.danlu({"report", "flats"}).code, 0);
}

TEST_F(SeveralTargets, OfTexts) {
  const Outcome run = project_.danlu({"run", "texts.yaml"});
  ASSERT_EQ(run.code, 0) << run;
  EXPECT_GT(value("texts", "kind.accuracy"), 0.95);
  EXPECT_GT(value("texts", "let.accuracy"), 0.95);
  project_.write("new.csv", "text\nA loft on floor 6\n");
  const Outcome predicted = project_.danlu({"predict", "texts", "new.csv"});
  ASSERT_EQ(predicted.code, 0) << predicted;
  const Json said = json_lines(predicted.out).at(0)["targets"];
  EXPECT_EQ(said["kind"]["label"], "loft");
  EXPECT_EQ(said["let"]["label"], "yes");
}

// With plain steps: Adam divides by the gradients' size, and so by the weight.
TEST_F(SeveralTargets, TheWeightsOfTheirLossesCount) {
  ASSERT_EQ(project_.danlu({"run", "flats.yaml", "train.epochs=4", "data.targets.price.weight=1e-6", "train.optimizer={type: sgd, lr: 0.05}"}).code, 0);
  const double unheeded = value("flats", "price.r2");
  ASSERT_EQ(project_.danlu({"run", "flats.yaml", "train.epochs=4", "train.optimizer={type: sgd, lr: 0.05}"}).code, 0);
  EXPECT_GT(value("flats", "price.r2"), unheeded + 0.2);
}

TEST_F(SeveralTargets, TheSameWeightsForOneAndTwoThreadsAndAfterAnInterruption) {
  expect_same_weights(project_, {"run", "flats.yaml", "train.epochs=20"}, "flats");
  expect_same_weights(project_, {"run", "texts.yaml", "train.epochs=4"}, "texts");
  expect_same_weights(project_, {"run", "flats.yaml", "train.epochs=20", "data.targets.price.weight=1", "train.task_weighting=uncertainty", "train.on_spike=rollback"}, "flats");
}

// What is told well counts more than what is told badly: here a number that nothing tells.
TEST_F(SeveralTargets, WeightsAreLearnt) {
  Rng rng(5);
  std::string csv = "size,price,noise\n";
  for (int i = 0; i < 600; ++i) {
    const float size = 20 + 100 * rng.uniform();
    csv += fmt::format("{:.1f},{:.0f},{:.3f}\n", size, 300 + 12 * size + 10 * rng.normal(), rng.normal());
  }
  project_.write("noisy.csv", csv);
  const Outcome run = project_.danlu({"run", "flats.yaml", "data={source: noisy.csv, targets: {price: {}, noise: {}}}", "train.task_weighting=uncertainty"});
  ASSERT_EQ(run.code, 0) << run;
  const Json validated = project_.run("flats").lines("metrics.jsonl").back();
  EXPECT_NEAR(validated["noise.weight"].get<double>(), 0.5, 0.15) << "half of one over the variance, which is 1";
  EXPECT_GT(validated["price.weight"].get<double>(), 5);
  EXPECT_GT(value("flats", "price.r2"), 0.98);
}

TEST_F(SeveralTargets, WhatMakesNoSenseIsRefused) {
  expect_refused(project_, {"run", "flats.yaml", "data.target=size"}, kUsage, {"data.targets and data.target"});
  expect_refused(project_, {"run", "flats.yaml", "data.targets={price: {}}"}, kUsage, {"data.targets", "price", "at least two"});
  expect_refused(project_, {"run", "flats.yaml", "data.targets={price: {}, kynd: {}}"}, kFailed, {"kynd", "did you mean \"kind\"?"});
  expect_refused(project_, {"run", "flats.yaml", "data.targets.price.weight=0"}, kUsage, {"weight", "0"});
  expect_refused(project_, {"run", "flats.yaml", "evaluate.metrics=[auc]"}, kUsage, {"evaluate.metrics", "several targets"});
  expect_refused(project_, {"run", "flats.yaml", "evaluate.gates={let.rmse: 1}"}, kUsage, {"let.rmse"});
  expect_refused(project_, {"run", "flats.yaml", "decision.threshold=0.3"}, kUsage, {"decision", "several"});
  expect_refused(project_, {"run", "flats.yaml", "train.class_weights=balanced"}, kUsage, {"class_weights", "several"});
  expect_refused(project_, {"run", "flats.yaml", "train.monitor=accuracy"}, kUsage, {"train.monitor", "several"});
  expect_refused(project_, {"run", "flats.yaml", "train.task_weighting=uncertainty"}, kUsage, {"data.targets.price.weight", "2", "learns it"});
  expect_refused(project_, {"run", "flats.yaml", "train.task_weighting=uncertainty", "data={source: flats.csv, target: let}"}, kUsage, {"train.task_weighting", "is one"});
}

}  // namespace
}  // namespace danlu::test
