// Any number of labels a sample, from the file to the served answer: listed in a column, or in columns of their own.
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

// What a dish has in it is what it is: each word brings its label.
std::string dishes_csv(int64_t rows) {
  const std::pair<const char*, const char*> parts[] = {{"chilli", "hot"}, {"honey", "sweet"}, {"lemon", "sour"}, {"anchovy", "fish"}, {"ham", "meat"}};
  Rng rng(8);
  std::string csv = "dish,tastes\n";
  for (int64_t i = 0; i < rows; ++i) {
    std::string words, labels;
    for (const auto& [word, label] : parts) {
      if (rng.below(3) != 0) continue;
      words += fmt::format(" and {}", word);
      labels += fmt::format("{}{}", labels.empty() ? "" : ", ", label);
    }
    csv += fmt::format("\"Rice {}{}\",\"{}\"\n", i % 9, words, labels.empty() ? "plain" : labels);
  }
  return csv;
}

// Two of three labels are told by one number, the third by two.
std::string mails_csv(int64_t rows) {
  Rng rng(5);
  std::string csv = "links,capitals,length,spam,urgent,long\n";
  for (int64_t i = 0; i < rows; ++i) {
    const float links = rng.normal(), capitals = rng.normal(), length = rng.normal();
    csv += fmt::format("{:.3f},{:.3f},{:.3f},{},{},{}\n", links, capitals, length, links + capitals > 1 ? 1 : 0, capitals > 0.8f ? "yes" : "no", length > 0 ? "true" : "false");
  }
  return csv;
}

class SeveralLabels : public testing::Test {
 protected:
  SeveralLabels() {
    project_.write("dishes.csv", dishes_csv(700));
    project_.write("dishes.yaml", R"(
data: {source: dishes.csv, target: tastes, label_separator: ",", text: {column: dish}, split: {on_overlap: keep}}
tokenizer: {vocab_size: 300}
model: {type: gru, embedding: 16, hidden: 16, dropout: 0}
train: {epochs: 25, batch_size: 32, optimizer: {type: adamw, lr: 1e-2}}
)");
    project_.write("mails.csv", mails_csv(900));
    project_.write("mails.yaml", R"(
data: {source: mails.csv, labels: [spam, urgent, long]}
model: {type: mlp, hidden: [16]}
train: {epochs: 40, optimizer: {type: adamw, lr: 1e-2}}
)");
  }
  Json report(const char* run) const { return read_json(project_.run(run).file("report.json")); }
  double value(const Json& report, const char* metric) const { return report["metrics"][metric]["value"].get<double>(); }
  Project project_;
};

TEST_F(SeveralLabels, OfTextsAreLearntByNgramsWhereNothingIsSaid) {
  project_.write("plain.yaml", "data: {source: dishes.csv, target: tastes, label_separator: \",\", text: {column: dish}}\n");
  const Outcome run = project_.danlu({"run", "plain.yaml", "evaluate.gates={f1_micro: 0.9}"});
  ASSERT_EQ(run.code, 0) << run;
  EXPECT_THAT(project_.read("runs/plain/resolved.yaml"), HasSubstr("the loss is a mean over 6 labels"));
}

TEST_F(SeveralLabels, ListedBesideATextFromTheFileToTheServedAnswer) {
  const Outcome run = project_.danlu({"run", "dishes.yaml", "evaluate.gates={f1_micro: 0.9, hamming_loss: 0.05}"});
  ASSERT_EQ(run.code, 0) << run;
  const Json found = report("dishes");
  EXPECT_EQ(found["task"], "multilabel");
  EXPECT_GT(value(found, "mean_average_precision"), 0.95);
  EXPECT_GT(value(found, "subset_accuracy"), 0.8);
  ASSERT_EQ(found["classes"].size(), 6u);
  EXPECT_EQ(found["decision"]["thresholds"].size(), 6u);
  EXPECT_THAT(project_.read("runs/dishes/resolved.yaml"), HasSubstr("threshold: f1"));
  const std::string page = project_.read("runs/dishes/report.html");
  EXPECT_THAT(page, HasSubstr("<h3>Labels</h3>"));
  EXPECT_THAT(page, HasSubstr("Most labels, and all of them right"));

  project_.write("new.csv", "dish\nRice 3 and chilli and ham\nRice 1\n\"\"\n");
  const Outcome predicted = project_.danlu({"predict", "dishes", "new.csv"});
  ASSERT_EQ(predicted.code, 0) << predicted;
  const std::vector<Json> said = json_lines(predicted.out);
  ASSERT_EQ(said.size(), 3u);
  EXPECT_EQ(said[0]["labels"], Json::array({"hot", "meat"}));
  EXPECT_EQ(said[1]["labels"], Json::array({"plain"}));
  EXPECT_EQ(said[0]["probabilities"].size(), 6u);
  const ServedModels server(project_, {"dishes"});
  const Json answer = post(server.port(), R"({"rows": [{"dish": "Rice 3 and chilli and ham"}, {"dish": "Rice 1"}, {"dish": ""}]})").json();
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(answer["predictions"][i]["labels"], said[i]["labels"]);
    for (const auto& [label, probability] : said[i]["probabilities"].items()) EXPECT_NEAR(answer["predictions"][i]["probabilities"][label].get<double>(), probability.get<double>(), 1e-5);
  }
  EXPECT_EQ(post(server.port(), R"({"rows": [{"dish": "Rice 3 and chilli"}], "explain": true})").json()["predictions"][0]["explanation"]["class"], "hot");

  ASSERT_EQ(project_.danlu({"predict", "dishes", "new.csv", "-o", "answers.csv"}).code, 0);
  EXPECT_THAT(project_.read("answers.csv"), testing::StartsWith("line,labels,p_fish,p_hot,p_meat,p_plain,p_sour,p_sweet\n2,hot|meat,"));
}

TEST_F(SeveralLabels, InColumnsOfTheirOwn) {
  const Outcome run = project_.danlu({"run", "mails.yaml"});
  ASSERT_EQ(run.code, 0) << run;
  const Json found = report("mails");
  EXPECT_GT(value(found, "f1_macro"), 0.9);
  EXPECT_EQ(found["classes"][1]["name"], "urgent");
  const Json explanation = read_json(project_.run("mails").file("explanation.json"));
  EXPECT_EQ(explanation["importance"]["metric"], "mean_average_precision");
  const Outcome explained = project_.danlu({"explain", "mails"});
  const std::string label = explanation["samples"][0]["explanation"]["class"];
  EXPECT_THAT(explained.out, testing::ContainsRegex(fmt::format("sample [0-9]+: .*; {}: [0-9.e-]+ where the average is", label))) << "which of the labels is explained";
  EXPECT_TRUE(read_json(project_.run("mails").file("data_report.json"))["conflicts"].is_null()) << "rows of other labels were not counted";
  EXPECT_THAT(project_.read("runs/mails/report.html"), testing::Not(HasSubstr("same input, other label")));
  project_.write("new.csv", "links,capitals,length\n3,2,-2\n-2,-2,2\n");
  const Outcome predicted = project_.danlu({"predict", "mails", "new.csv"});
  ASSERT_EQ(predicted.code, 0) << predicted;
  const std::vector<Json> said = json_lines(predicted.out);
  EXPECT_EQ(said[0]["labels"], Json::array({"spam", "urgent"}));
  EXPECT_EQ(said[1]["labels"], Json::array({"long"}));
  const ServedModels server(project_, {"mails"});
  Json of_file = said[0];
  of_file.erase("line");
  EXPECT_EQ(post(server.port(), R"({"rows": [{"links": 3, "capitals": 2, "length": -2}]})").json()["predictions"][0], of_file);
  EXPECT_EQ(project_.danlu({"evaluate", "mails"}).code, 0);
  EXPECT_EQ(project_.danlu({"verify", "mails"}).code, 0);

  // One threshold for all, and one chosen for a recall.
  ASSERT_EQ(project_.danlu({"run", "mails.yaml", "--name", "one", "decision.threshold=0.9", "train.epochs=2"}).code, 0);
  EXPECT_EQ(report("one")["decision"]["thresholds"], Json::array({0.9, 0.9, 0.9}));
  ASSERT_EQ(project_.danlu({"run", "mails.yaml", "--name", "recall", "decision.threshold={recall: 0.99}", "data.class_names=[junk, now, tall]"}).code, 0);
  EXPECT_GT(value(report("recall"), "recall_micro"), 0.95);
  EXPECT_EQ(report("recall")["classes"][2]["name"], "tall");
}

TEST_F(SeveralLabels, TheSameWeightsForOneAndTwoThreadsAndAfterAnInterruption) {
  expect_same_weights(project_, {"run", "dishes.yaml", "train.epochs=4"}, "dishes");
  expect_same_weights(project_, {"run", "mails.yaml", "train.epochs=30"}, "mails");
}

TEST_F(SeveralLabels, WhatMakesNoSenseIsRefused) {
  expect_refused(project_, {"run", "mails.yaml", "data.target=spam"}, kUsage, {"data.labels and data.target"});
  expect_refused(project_, {"run", "mails.yaml", "data.labels=[spam, urgnt]"}, kFailed, {"urgnt", "did you mean \"urgent\"?"});
  expect_refused(project_, {"run", "mails.yaml", "data.labels=[spam, links]"}, kFailed, {"column \"links\"", "expected 1 or 0"});
  expect_refused(project_, {"run", "mails.yaml", "data.labels=[spam]"}, kFailed, {"at least two"});
  expect_refused(project_, {"run", "mails.yaml", "train.class_weights=balanced"}, kUsage, {"class_weights", "labels"});
  expect_refused(project_, {"run", "mails.yaml", "train.monitor=accuracy"}, kUsage, {"train.monitor", "labels"});
  expect_refused(project_, {"run", "mails.yaml", "evaluate.kfold.folds=3"}, kUsage, {"kfold", "labels"});
  expect_refused(project_, {"run", "mails.yaml", "decision.calibrate=auto"}, kUsage, {"decision.threshold"});
  expect_refused(project_, {"run", "mails.yaml", "decision.threshold=cost"}, kUsage, {"decision.threshold"});
  expect_refused(project_, {"run", "mails.yaml", "evaluate.metrics=[accuracy]"}, kUsage, {"accuracy", "multilabel"});
  expect_refused(project_, {"run", "mails.yaml", "evaluate.demographic=[links]"}, kUsage, {"two classes"});
  expect_refused(project_, {"run", "dishes.yaml", "data.label_separator=/", "data.label_min_rows=200"}, kFailed, {"is the separator right?"});
  expect_refused(project_, {"run", "dishes.yaml", "data.label_min_rows=10000"}, kFailed, {"at least 10000", "training rows"});
}

}  // namespace
}  // namespace danlu::test
