// Classifiers that learn from rows without a label as well.
#include <gmock/gmock.h>

#include "danlu/base/json.h"
#include "danlu/base/rng.h"
#include "tests/misuse/refusal.h"
#include "tests/program.h"
#include "tests/same_weights.h"

namespace danlu::test {
namespace {

using testing::HasSubstr;

// Two bands of points, one above the other. Of each 3 training points have a label, those of the upper band more to the left, so that a border
// drawn by them alone leans; 600 points have none, and 400 test.
std::string bands_csv() {
  Rng rng(3);
  std::string csv = "x,y,text,kind,part\n";
  const auto add = [&](bool upper, double x, bool labelled, const char* part) {
    const double y = (upper ? 1 : -1) + 0.3 * static_cast<double>(rng.normal());
    csv += fmt::format("{:.3f},{:.3f},\"column {:.0f} row {:.0f}\",{},{}\n", x, y, 2 * x, 4 * y, labelled ? (upper ? "upper" : "lower") : "", part);
  };
  const auto anywhere = [&] { return 6 * static_cast<double>(rng.uniform()) - 3; };
  for (const double x : {-2.5, -1.0, 0.5}) {
    add(true, x, true, "train");
    add(false, -x, true, "train");
  }
  for (int i = 0; i < 600; ++i) add(i % 2 == 0, anywhere(), false, "");
  for (int i = 0; i < 60; ++i) add(i % 2 == 0, anywhere(), true, "validation");
  for (int i = 0; i < 400; ++i) add(i % 2 == 0, anywhere(), true, "test");
  return csv;
}

class PseudoLabels : public testing::Test {
 protected:
  PseudoLabels() {
    project_.write("bands.csv", bands_csv());
    project_.write("bands.yaml", R"(
data: {source: bands.csv, target: kind, split: {column: part}, columns: {text: {drop: true}}}
model: {type: mlp, hidden: [16]}
train:
  epochs: 600
  batch_size: 8
  optimizer: {type: adam, lr: 5e-3}
  pseudo_labels: {weight: 1, rows: 16}
)");
    project_.write("texts.yaml", R"(
data: {source: bands.csv, target: kind, text: {column: text}, split: {column: part, on_overlap: keep}}
model: {type: bag_of_tokens}
tokenizer: {vocab_size: 300}
train: {epochs: 6, pseudo_labels: {weight: 1, rows: 4, begin: 1, full: 3}}
)");
  }
  double accuracy(const Words& words) const {
    const Outcome run = project_.danlu(words);
    EXPECT_EQ(run.code, 0) << run;
    return read_json(project_.run("bands").file("report.json"))["metrics"]["accuracy"]["value"].get<double>();
  }
  Project project_;
};

TEST_F(PseudoLabels, AreWorthMoreThanTheFewLabelsAlone) {
  const double few = accuracy({"run", "bands.yaml", "train.pseudo_labels.weight=0"});
  const double many = accuracy({"run", "bands.yaml"});
  EXPECT_GT(many, few);
  EXPECT_GT(many, 0.99);
  EXPECT_THAT(project_.read("runs/bands/resolved.yaml"), HasSubstr("a quarter of the epochs learns from labels alone"));
  EXPECT_EQ(project_.danlu({"verify", "bands"}).code, 0);
}

TEST_F(PseudoLabels, TheSameWeightsForOneAndTwoThreadsAndAfterAnInterruption) {
  expect_same_weights(project_, {"run", "bands.yaml", "train.epochs=100"}, "bands");
  expect_same_weights(project_, {"run", "texts.yaml"}, "texts");
}

TEST_F(PseudoLabels, ARunIsOfTheUnlabelledRowsToo) {
  ASSERT_EQ(project_.danlu({"prepare", "bands.yaml"}).code, 0);
  project_.write("bands.csv", bands_csv() + "0.1,0.2,\"\",,\n");
  const Outcome train = project_.danlu({"train", "bands"});
  EXPECT_EQ(train.code, 1) << train;
  EXPECT_THAT(train.err, HasSubstr("has changed"));
}

TEST_F(PseudoLabels, WhatMakesNoSenseIsRefused) {
  project_.write("full.csv", "a,b\n1,yes\n2,no\n3,yes\n4,no\n");
  expect_refused(project_, {"run", "bands.yaml", "data={source: full.csv, target: b}"}, kFailed, {"\"b\" in every row", "train.pseudo_labels"});
  project_.write("numbers.csv", "a,b\n1,0.5\n2,0.7\n3,\n4,0.9\n5,1.5\n6,1.1\n7,1.25\n8,1.75\n9,2.5\n10,3.1\n");
  expect_refused(project_, {"run", "bands.yaml", "data={source: numbers.csv, target: b}"}, kUsage, {"train.pseudo_labels", "classes", "is a number"});
  expect_refused(project_, {"run", "bands.yaml", "train.pseudo_labels={weight: 1, begin: 20, full: 10}"}, kUsage, {"train.pseudo_labels.full", "20"});
}

}  // namespace
}  // namespace danlu::test
