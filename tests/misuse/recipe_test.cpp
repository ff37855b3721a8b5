// Recipes and command lines that make no sense: exit code 2, the line of the file, and what was meant.
#include "tests/misuse/refusal.h"
#include "tests/samples.h"

namespace danlu::test {
namespace {

class BadRecipe : public testing::Test {
 protected:
  BadRecipe() { project_.write("points.csv", points_csv(40)); }
  // Lines 1 to 3 name the data; what is wrong begins in line 4.
  void expect_no_run(const std::string& lines, const Words& words) {
    project_.write("recipe.yaml", "data:\n  source: points.csv\n  target: kind\n" + lines);
    expect_refused(project_, {"run", "recipe.yaml"}, kUsage, words);
    expect_refused(project_, {"check", "recipe.yaml"}, kUsage, words);
  }
  Project project_;
};

TEST_F(BadRecipe, AnUnknownKeyNamesTheLineAndTheNearest) {
  expect_no_run("train:\n  epoch: 3\n", {"recipe.yaml:5: unknown key \"train.epoch\"; did you mean \"epochs\"?"});
  expect_no_run("trian:\n  epochs: 3\n", {"recipe.yaml:4: unknown key \"trian\"; did you mean \"train\"?"});
  expect_no_run("train:\n  optimizer:\n    type: adamw\n    momentun: 1\n", {"recipe.yaml:7: ", "momentun"});
  expect_no_run("model:\n  type: mpl\n", {"recipe.yaml:5: ", "\"mpl\"", "did you mean \"mlp\"?"});
  expect_no_run("model:\n  type: mlp\n  hiden: [8]\n", {"recipe.yaml:6: ", "did you mean \"hidden\"?"});
}

TEST_F(BadRecipe, AValueOfTheWrongTypeNamesTheLineAndWhatIsExpected) {
  expect_no_run("train:\n  epochs: ten\n", {"recipe.yaml:5: train.epochs: got \"ten\"; expected a number"});
  expect_no_run("train: 5\n", {"recipe.yaml:4: train: got 5; expected a group of keys"});
  expect_no_run("train:\n  batch_size: 2.5\n", {"recipe.yaml:5: train.batch_size: got 2.5; expected a whole number"});
  expect_no_run("train:\n  batch_size: 0\n", {"recipe.yaml:5: train.batch_size: got 0; expected"});
  expect_no_run("train:\n  on_nan: explode\n", {"recipe.yaml:5: train.on_nan: got \"explode\"; expected one of stop"});
  expect_no_run("model:\n  type: mlp\n  hidden: many\n",
                {"recipe.yaml:6: ", "model.hidden: got \"many\"; expected a whole number"});
}

TEST_F(BadRecipe, APrecisionThatTheProcessorLacks) {
  project_.write("recipe.yaml", "data:\n  source: points.csv\n  target: kind\ntrain:\n  matmul_precision: medium\n");
  expect_refused(project_, {"check", "recipe.yaml"}, kUsage, {"train.matmul_precision: got medium; expected a processor with AVX512_BF16"},
                 {"DANLU_ISA=scalar"});
}

TEST_F(BadRecipe, TextThatIsNoYamlNamesLineAndColumn) {
  expect_no_run("train: [1, 2\n", {"recipe.yaml:5:1: end of sequence flow not found"});
  expect_no_run("train:\n\tepochs: 3\n", {"recipe.yaml:5:"});
  expect_no_run("seed: 1\nseed: 2\n", {"recipe.yaml:5:1: key \"seed\" is given twice"});
  expect_no_run("name: caf\xe9\n", {"recipe.yaml: byte", "is not UTF-8"});
}

TEST_F(BadRecipe, PartsThatDoNotFitTheData) {
  expect_no_run("evaluate:\n  metrics: [acuracy]\n", {"acuracy", "did you mean \"accuracy\"?"});
  expect_no_run("evaluate:\n  gates: {acuracy: 0.9}\n", {"evaluate.gates", "did you mean \"accuracy\"?"});
  expect_no_run("evaluate:\n  gates: {accuracy: good}\n", {"recipe.yaml:5: evaluate.gates.accuracy: got \"good\"; expected a number"});
  expect_no_run("decision:\n  threshold: costs\n", {"recipe.yaml:5: decision.threshold: got \"costs\"; expected a number between 0 and 1", "did you mean \"cost\"?"});
  expect_no_run("decision:\n  threshold: 1.5\n", {"decision.threshold: got 1.5"});
  expect_no_run("decision:\n  threshold: {recall: 2}\n", {"decision.threshold: got {\"recall\":2}"});

  expect_no_run("train: {classification_loss: squared_hinge, label_smoothing: 0.1}\n", {"train.label_smoothing: got 0.1; expected 0"});
  expect_no_run("train: {temperature: 0.1}\n", {"recipe.yaml:4: train.temperature: got 0.1; expected none: a recipe of tables does not read it; train.temperature is for FAQs"});
  expect_no_run("dialogue: {precision: 0.5}\n", {"recipe.yaml:4: dialogue.precision: got 0.5; expected none", "dialogue is for FAQs"});
  expect_no_run("evaluate:\n  top: 5\n", {"recipe.yaml:5: evaluate.top: got 5; expected none", "is for recommenders"});
  expect_no_run("tokenizer:\n  vocab_size: 300\n", {"recipe.yaml:5: tokenizer.vocab_size: got 300; expected none"});

  expect_no_run("decision: {abstain: {coverage: 0.9, accuracy: 0.9}}\n", {"decision.abstain: got coverage and accuracy; expected one of them"});
  expect_no_run("decision: {threshold: cost, costs: {false_negative: -1}}\n", {"decision.costs: expected a wrong answer to cost more than the right one"});
  expect_no_run("evaluate: {demographic: [x]}\n", {"evaluate.demographic: \"x\" has ", "expected a column of a few groups"});
  expect_no_run("evaluate:\n  kfold: {folds: 500}\n", {"got 40 different samples for 500 folds"});
  expect_no_run("data2: 1\n", {"recipe.yaml:4: unknown key \"data2\"; did you mean \"data\"?"});
}

TEST_F(BadRecipe, ANameCannotLeaveTheDirectoryOfRuns) {
  for (const char* name : {"../elsewhere", "a/b", "..", "/tmp/x", ".hidden"}) {
    expect_refused(project_, {"run", "--data", "points.csv", "--target", "kind", "--name", name}, kUsage,
                   {"name: got \"", "expected a word without slashes"});
  }
}

TEST_F(BadRecipe, WhatIsNoRunIsNotOverwritten) {
  project_.write("runs/points/thesis.txt", "years of work");
  expect_refused(project_, {"run", "--data", "points.csv", "--target", "kind"}, kUsage,
                 {"runs/points is in the way and is no run"});
}

TEST_F(BadRecipe, OverridesAndVariablesAreCheckedLikeTheFile) {
  const Words run = {"run", "--data", "points.csv", "--target", "kind"};
  const auto with = [&](const std::string& word) {
    Words words = run;
    words.push_back(word);
    return words;
  };
  expect_refused(project_, with("train.epoch=3"), kUsage,
                 {"command line: unknown key \"train.epoch\"; did you mean \"epochs\"?"});
  expect_refused(project_, with("train.epochs=ten"), kUsage,
                 {"command line: train.epochs: got \"ten\"; expected a number"});
  expect_refused(project_, with("train.epochs=[1"), kUsage, {"command line:"});
  expect_refused(project_, run, kUsage,
                 {"unknown environment variable DANLU_TRAIN_EPOCH; did you mean \"DANLU_TRAIN_EPOCHS\"?"},
                 {"DANLU_TRAIN_EPOCH=3"});
}

}  // namespace
}  // namespace danlu::test
