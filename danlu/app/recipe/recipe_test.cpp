#include "danlu/app/recipe/recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "danlu/app/recipe/derive.h"
#include "danlu/app/recipe/yaml.h"
#include "danlu/base/error.h"
#include "danlu/base/temporary_directory.h"

namespace danlu::app {
namespace {

using testing::HasSubstr;

// An environment variable for one test.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

Recipe load(const std::string& text, const std::vector<std::string>& overrides = {}) {
  const TemporaryDirectory directory;
  write_file_atomic(directory / "r.yaml", text);
  return load_recipe(directory / "r.yaml", overrides);
}

std::string error_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    load(text, overrides);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error for: " + text;
}

constexpr const char* kSmall = "data: {source: a.csv, target: y}\n";

TEST(Recipe, AFewLinesAreEnough) {
  const Recipe recipe = load(
      "name: credit-risk\ndata: {source: credit.csv, target: class}\nmodel: {type: mlp, hidden: [64, 32]}\n"
      "train: {epochs: 40, optimizer: {type: adamw, lr: 1e-3}, early_stop: 5}\nevaluate: {metrics: [auc, accuracy]}\n");
  EXPECT_EQ(recipe.name, "credit-risk");
  EXPECT_EQ(recipe.data.table.target, "class");
  EXPECT_EQ(recipe.train.epochs, 40);
  EXPECT_EQ(recipe.train.early_stop, 5);
  EXPECT_THAT(recipe.evaluate.report.metrics, testing::ElementsAre("auc", "accuracy"));
}

TEST(Recipe, IsCalledAsTheFileIs) { EXPECT_EQ(load(kSmall).name, "r"); }

TEST(Recipe, UnknownKeysNameLineAndNearest) {
  EXPECT_THAT(error_of("data: {source: a.csv, target: y}\ntrain:\n  batch_size: 8\n  epoch: 3\n"),
              HasSubstr("r.yaml:4: unknown key \"train.epoch\"; did you mean \"epochs\"?"));
  EXPECT_THAT(error_of("data: {source: a.csv}\nmodle: mlp\n"),
              HasSubstr("r.yaml:2: unknown key \"modle\"; did you mean \"model\"?"));
  EXPECT_THAT(error_of(std::string(kSmall) + "model: {type: mlp, hiden: [3]}\n"),
              HasSubstr("did you mean \"hidden\"?"));
  EXPECT_THAT(error_of(std::string(kSmall) + "train:\n  optimizer: {type: adamm}\n"), HasSubstr("adamw"));
  EXPECT_THAT(error_of(std::string(kSmall) + "train:\n  optimizer: {type: sgd, momentun: 0.9}\n"),
              HasSubstr("did you mean \"momentum\"?"));
}

TEST(Recipe, WrongTypesAndRangesNameTheLine) {
  EXPECT_THAT(error_of(std::string(kSmall) + "train:\n  epochs: ten\n"),
              HasSubstr("r.yaml:3: train.epochs: got \"ten\"; expected a number"));
  EXPECT_THAT(error_of(std::string(kSmall) + "train: {batch_size: 0}\n"), HasSubstr("expected a number in [1"));
  EXPECT_THAT(error_of(std::string(kSmall) + "train: 5\n"), HasSubstr("expected a group of keys"));
  EXPECT_THAT(error_of("data: {source: [a.csv]}\n"), HasSubstr("data.source: got [\"a.csv\"]; expected a text"));
  EXPECT_THAT(error_of(std::string(kSmall) + "train: {on_nan: explode}\n"),
              HasSubstr("expected one of stop, skip, rollback"));
}

TEST(Recipe, PartsThatDoNotFitTogether) {
  EXPECT_THAT(error_of("name: a\n"), HasSubstr("data.source: is missing"));
  EXPECT_THAT(error_of("name: a/b\ndata: {source: a.csv}\n"),
              HasSubstr("r.yaml:1: name: got \"a/b\"; expected a word"));
  EXPECT_THAT(error_of("name: ..\ndata: {source: a.csv}\n"), HasSubstr("expected a word"));
  EXPECT_THAT(error_of("data: {source: a.csv, split: {validation: 0.5, test: 0.5}}\n"),
              HasSubstr("leave nothing to train on"));
  EXPECT_THAT(error_of("data: {source: a.csv, split: {validation: 0}}\ntrain: {early_stop: 3}\n"),
              HasSubstr("r.yaml:2: train.early_stop: needs a validation split"));
  EXPECT_THAT(error_of(std::string(kSmall) + "evaluate: {kfold: {folds: 1}}\n"),
              HasSubstr("evaluate.kfold.folds: got 1; expected at least 2"));
}

TEST(Recipe, TheTypeOfTheModelSaysWhatIsMadeElseTheData) {
  const auto kind = [](const std::string& text) { return load(text).kind(); };
  EXPECT_EQ(kind(kSmall), RecipeKind::prediction);
  EXPECT_EQ(kind("data: {source: letters.txt.gz}\n"), RecipeKind::language);
  EXPECT_EQ(kind("data: {source: letters}\nmodel: gpt\n"), RecipeKind::language);
  EXPECT_EQ(kind("data: {source: photos}\nmodel: {type: gan}\n"), RecipeKind::images);
  EXPECT_EQ(kind("data: {source: a.csv}\nmodel: kmeans\n"), RecipeKind::clusters);
  EXPECT_EQ(kind("data: {source: a.csv, text: {column: text}}\nmodel: masked_encoder\n"), RecipeKind::pretraining);
  EXPECT_EQ(kind("data: {source: a.csv, series: {values: y}}\nmodel: lstm\n"), RecipeKind::forecast);
  EXPECT_EQ(kind("data: {source: a.csv, interactions: {}}\n"), RecipeKind::recommendation);
  EXPECT_EQ(kind("data: {source: a.csv}\nmodel: two_tower\n"), RecipeKind::recommendation);
  EXPECT_EQ(kind("data: {source: a.csv, faq: {}}\n"), RecipeKind::faq);
  EXPECT_EQ(kind("data: {source: a.csv, faq: {}}\nmodel: retriever\n"), RecipeKind::faq);
}

TEST(Recipe, WhatNobodyReadsIsRefusedWithItsPath) {
  const char* const beginnings[] = {"data: {source: a.txt}\n", "data: {source: a.csv}\nmodel: kmeans\n", "data: {source: a.csv, faq: {}}\n", kSmall};
  for (const char* beginning : beginnings) EXPECT_THAT(error_of(std::string(beginning) + "evaluate: {top: 3}\n"), HasSubstr("evaluate.top: got 3; expected none")) << beginning;
  EXPECT_THAT(error_of("data: {source: a.csv}\nmodel: kmeans\ntrain:\n  optimizer: {lr: 0.5}\n"), HasSubstr("r.yaml:4: train.optimizer.lr: got 0.5; expected none: a recipe of kmeans does not read it; its options are model.restarts"));
  EXPECT_THAT(error_of("data: {source: a.csv}\nmodel: kmeans\ntransfer: {from: other}\n"), HasSubstr("transfer.from: got \"other\"; expected none"));
  EXPECT_THAT(error_of("data: {source: a.txt}\ntrain: {class_weights: balanced}\n"), HasSubstr("train.class_weights is for tables, images with classes, texts of tokens, texts of n-grams"));
  EXPECT_THAT(error_of("data: {source: a.txt, csv: {delimiter: \";\"}}\n"), HasSubstr("data.csv.delimiter: got \";\"; expected none: a recipe of language models"));
  EXPECT_THAT(error_of("data: {source: a.csv, faq: {}, text: {length: 9, split_by: position}}\n"), HasSubstr("data.text.split_by: got \"position\"; expected none"));
  EXPECT_THAT(error_of("data: {source: a.csv, target: y, interactions: {user: who}}\nmodel: mlp\n"), HasSubstr("data.interactions.user: got \"who\"; expected none: a recipe of tables"));
  EXPECT_THAT(error_of(kSmall, {"train.tokens=100"}), HasSubstr("command line: train.tokens: got 100; expected none"));
  // What is said as it is anyway does no harm: a resolved recipe says everything.
  EXPECT_EQ(load("data: {source: a.csv}\nmodel: kmeans\ntrain: {optimizer: {type: adamw}, batch_size: 64}\ndialogue: {context: 0.5}\n").name, "r");
}

TEST(Recipe, CommandLineBeatsEnvironmentBeatsFileBeatsDefault) {
  const std::string text = std::string(kSmall) + "train: {epochs: 3, batch_size: 16}\n";
  EXPECT_EQ(load(text).train.epochs, 3);
  EXPECT_EQ(load(kSmall).train.batch_size, train::TrainOptions().batch_size);
  const Variable epochs("DANLU_TRAIN_EPOCHS", "7"), batch("DANLU_TRAIN_BATCH_SIZE", "32");
  const Recipe recipe = load(text, {"train.epochs=9"});
  EXPECT_EQ(recipe.train.epochs, 9);
  EXPECT_EQ(recipe.train.batch_size, 32);
}

TEST(Recipe, OverridesReachAnyKey) {
  const Recipe recipe = load(kSmall, {"model=mlp", "model.hidden=[8, 4]", "train.optimizer.lr=0.5", "name=other",
                                      "data.columns.age.drop=true"});
  EXPECT_EQ(recipe.model.dump(), R"({"type":"mlp","hidden":[8,4]})");
  EXPECT_EQ(recipe.name, "other");
  EXPECT_TRUE(recipe.data.table.columns.at("age").drop);
  EXPECT_THAT(error_of(kSmall, {"train.epoch=9"}), HasSubstr("did you mean \"epochs\"?"));
  EXPECT_THAT(error_of(kSmall, {"epochs"}), HasSubstr("expected key.sub=value"));
  EXPECT_THAT(error_of(kSmall, {"train.epochs=[1"}), HasSubstr("command line:"));
  const std::string text = std::string(kSmall) + "train: {epochs: 3}\nmodel: mlp\n";
  EXPECT_THAT(error_of(text, {"train.epochs=ten"}), HasSubstr("] command line: train.epochs: got \"ten\""));
  EXPECT_THAT(error_of(text, {"train.epoch=3"}), HasSubstr("] command line: unknown key \"train.epoch\""));
  EXPECT_THAT(error_of(text, {"model.hiden=3"}), HasSubstr("] command line: unknown key \"model.hiden\""));
  EXPECT_THAT(error_of(text, {"model.hidden=[8, x]"}), HasSubstr("] command line: model.hidden"));
  EXPECT_THAT(error_of(std::string(kSmall) + "seed: 3\n", {"seed.x=1"}), HasSubstr("seed has no keys below it"));
  EXPECT_THAT(error_of(kSmall, {"train..epochs=1"}), HasSubstr("expected key.sub=value"));
}

TEST(Recipe, EnvironmentReachesFreeFormKeysAndRefusesMisspeltOnes) {
  {
    const Variable lr("DANLU_TRAIN_OPTIMIZER_WEIGHT_DECAY", "0.25"), cache("DANLU_DATA", "/nowhere");
    EXPECT_EQ(load(kSmall).train.optimizer.dump(), R"({"weight_decay":0.25})");
  }
  {
    const Variable ten("DANLU_TRAIN_EPOCHS", "ten");
    EXPECT_THAT(error_of(kSmall), HasSubstr("] DANLU_TRAIN_EPOCHS: train.epochs: got \"ten\""));
  }
  const Variable wrong("DANLU_TRAIN_EPOCH", "3");
  EXPECT_THAT(error_of(kSmall),
              HasSubstr("unknown environment variable DANLU_TRAIN_EPOCH; did you mean \"DANLU_TRAIN_EPOCHS\"?"));
}

TEST(Recipe, ResolvedIsARecipeThatSaysEverything) {
  Recipe recipe = load(kSmall, {"train.optimizer=sgd"});
  derive_choices(recipe, infer::InputKind::table, 500, true);
  const std::string text = recipe.render();
  EXPECT_THAT(text, HasSubstr("# derived: a small perceptron"));
  EXPECT_THAT(text, HasSubstr("momentum: 0"));
  const TemporaryDirectory directory;
  write_file_atomic(directory / "resolved.yaml", text);
  const Variable ignored("DANLU_TRAIN_EPOCHS", "7");
  const Recipe reopened = reopen_recipe(directory / "resolved.yaml");
  EXPECT_EQ(reopened.train.epochs, recipe.train.epochs);
  Recipe same = reopened;
  same.reasons = recipe.reasons;
  EXPECT_EQ(same.render(), text);
}

TEST(Recipe, AutomaticChoicesLeaveWhatIsGiven) {
  Recipe open = load(kSmall);
  derive_choices(open, infer::InputKind::table, 200, true);
  EXPECT_EQ(open.model, "mlp");
  EXPECT_EQ(open.train.batch_size, 10);
  EXPECT_TRUE(open.train.epochs && open.train.early_stop > 0);
  EXPECT_TRUE(open.reasons.contains("train.batch_size") && open.reasons.contains("model"));

  Recipe given = load(kSmall, {"model=logistic", "train.epochs=3", "train.batch_size=64"});
  derive_choices(given, infer::InputKind::table, 200, true);
  EXPECT_EQ(given.model, "logistic");
  EXPECT_EQ(given.train.epochs, 3);
  EXPECT_EQ(given.train.early_stop, 0);
  EXPECT_EQ(given.train.batch_size, 64);
  EXPECT_TRUE(given.reasons.empty());

  Recipe images = load("data: {source: photos}\n");
  derive_choices(images, infer::InputKind::image, 60000, true);
  EXPECT_EQ(images.model, "cnn");
  EXPECT_EQ(images.train.batch_size, train::TrainOptions().batch_size);
}

TEST(Recipe, ABagOfNgramsHasItsOwnSection) {
  const std::string texts = "data: {source: r.csv, target: y, text: {column: t}}\n";
  Recipe recipe = load(texts + "ngrams: {characters: [3, 5]}\n");
  derive_choices(recipe, infer::InputKind::text, 5000, true);
  EXPECT_EQ(recipe.model, "bag_of_ngrams");
  EXPECT_EQ(recipe.train.objective.classification_loss, "squared_hinge");
  EXPECT_EQ(recipe.decision.calibrate, "always");
  const std::string text = recipe.render();
  EXPECT_THAT(text, testing::Not(HasSubstr("tokenizer")));
  const TemporaryDirectory directory;
  write_file_atomic(directory / "resolved.yaml", text);
  EXPECT_EQ(reopen_recipe(directory / "resolved.yaml").ngrams.characters, (std::vector<int64_t>{3, 5}));

  Recipe no_validation = load(texts + "ngrams: {characters: [3, 5]}\n", {"data.split.validation=0"});
  derive_choices(no_validation, infer::InputKind::text, 5000, true);
  EXPECT_EQ(no_validation.train.objective.classification_loss, "cross_entropy") << "margins could not be calibrated";
  EXPECT_EQ(no_validation.decision.calibrate, "none");
  Recipe folds = load(texts + "ngrams: {characters: [3, 5]}\n", {"data.split.validation=0", "decision.folds=4"});
  derive_choices(folds, infer::InputKind::text, 5000, true);
  EXPECT_EQ(folds.train.objective.classification_loss, "squared_hinge");

  Recipe numbers = load(texts + "model: bag_of_ngrams\n");
  derive_choices(numbers, infer::InputKind::text, 5000, false);
  EXPECT_EQ(numbers.decision.calibrate, "none");
  Recipe tokens = load(texts + "tokenizer: {vocab_size: 300}\n");
  derive_choices(tokens, infer::InputKind::text, 5000, true);
  EXPECT_EQ(tokens.model, "lstm");
  EXPECT_THAT(tokens.render(), testing::Not(HasSubstr("ngrams")));

  const std::string bag = texts + "model: bag_of_ngrams\n";
  EXPECT_THAT(error_of(bag + "tokenizer: {vocab_size: 300}\n"), HasSubstr("bag_of_ngrams has the section ngrams in its place"));
  EXPECT_THAT(error_of(texts + "model: lstm\nngrams: {words: [1, 2]}\n"), HasSubstr("r.yaml:3: ngrams: are for the model bag_of_ngrams"));
  EXPECT_THAT(error_of(bag + "ngrams: {words: [2, 1]}\n"), HasSubstr("ngrams.words: got [2, 1]"));
  EXPECT_THAT(error_of(bag + "transfer: {from: other}\n"), HasSubstr("its weights belong to its own n-grams"));
  EXPECT_THAT(error_of(bag + "train: {classification_loss: squared_hinge}\ndecision: {calibrate: none}\n"), HasSubstr("margins are no probabilities"));
}

TEST(Recipe, CompressesBySectionsThatMakeSense) {
  const std::string table = "data: {source: a.csv, target: y}\n";
  const Recipe recipe = load(table + "compress: {to: \"sparse=0.8\", epochs: 4, tolerance: 1}\n");
  EXPECT_EQ(recipe.compress.to, "sparse=0.8");
  EXPECT_EQ(recipe.compress.options.epochs, 4);
  const TemporaryDirectory directory;
  for (const Recipe& one : {recipe, load(table)}) {
    write_file_atomic(directory / "resolved.yaml", one.render());
    EXPECT_EQ(reopen_recipe(directory / "resolved.yaml").compress.to, one.compress.to);
  }
  EXPECT_EQ(vary_recipe(recipe, {{"seed", 2}}).compress.to, "") << "trials are compared as they were trained";
  EXPECT_THAT(error_of(table + "compress: {epochs: 3}\n"), HasSubstr("compress.to: is missing"));
  EXPECT_THAT(error_of(table + "compress: {to: int9}\n"), HasSubstr("r.yaml:2: compress.to: got int9; expected int8"));
  EXPECT_THAT(error_of(table + "compress: {to: int8, tolerence: 1}\n"), HasSubstr("unknown key \"compress.tolerence\"; did you mean \"tolerance\"?"));
  EXPECT_THAT(error_of(table + "compress: {to: q4}\n"), HasSubstr("q8 and q4 are for language models"));
  EXPECT_THAT(error_of("data: {source: a.txt}\nmodel: gpt\ncompress: {to: int8}\n"), HasSubstr("compress.to: got int8; expected q8 or q4"));
  EXPECT_THAT(error_of("data: {source: a.txt}\nmodel: gpt\ncompress: {to: q8, epochs: 2}\n"), HasSubstr("nothing learns again"));
  EXPECT_THAT(error_of(table + "model: kmeans\ncompress: {to: int8}\n"), HasSubstr("compress"));
}

TEST(Recipe, DerivedFromADataFile) {
  EXPECT_EQ(derive_recipe("data/patients.csv.gz", "diagnosis").name, "patients");
  EXPECT_EQ(derive_recipe("photos/", "").name, "photos");
  EXPECT_EQ(derive_recipe("a.csv", "y", {"train.epochs=2"}).train.epochs, 2);
  EXPECT_EQ(derive_recipe("a.csv", "y").text, "name: a\ndata:\n  source: a.csv\n  target: y\n");
}

TEST(Recipe, PathsAreExpanded) {
  const Variable home("HOME", "/home/me"), place("DANLU_TEST_PLACE", "/data/${x}");
  ::unsetenv("DANLU_DATA");
  EXPECT_EQ(expand_path("${DANLU_DATA}/a.csv"), "/home/me/.cache/danlu/a.csv");
  EXPECT_EQ(expand_path("~/a.csv"), "/home/me/a.csv");
  EXPECT_EQ(expand_path("${DANLU_TEST_PLACE}/a.csv"), "/data/${x}/a.csv")
      << "what a variable holds is not expanded again";
  EXPECT_THROW(expand_path("${DANLU_TEST_UNSET}/a.csv"), ConfigError);
  EXPECT_THROW(expand_path("${DANLU_DATA"), ConfigError);
}

TEST(Recipe, EveryPathOfTheResolvedOneIsExpanded) {
  const Variable place("DANLU_TEST_PLACE", "/data"), home("HOME", "/home/me");
  const Recipe recipe = load("data: {source: \"${DANLU_TEST_PLACE}/a.csv\", faq: {off_topic: [\"${DANLU_TEST_PLACE}/b.csv\", ~/c.csv]}}\n");
  EXPECT_EQ(recipe.data.source, "/data/a.csv");
  EXPECT_THAT(recipe.data.faq.off_topic, testing::ElementsAre("/data/b.csv", "/home/me/c.csv"));
  EXPECT_THAT(recipe.render(), HasSubstr("/data/b.csv"));
}

TEST(Recipe, SchemaAndHelpCoverEveryPart) {
  const Json schema = schema_options(Recipe());
  EXPECT_TRUE(schema["properties"]["train"]["properties"].contains("epochs"));
  EXPECT_FALSE(schema["properties"]["data"]["additionalProperties"].get<bool>());
  EXPECT_THAT(help_options(Recipe()), HasSubstr("kfold"));
}

}  // namespace
}  // namespace danlu::app
