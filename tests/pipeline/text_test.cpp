// A column of text from the file to the served answer, by recurrent networks and by the Transformer encoder.
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

// Opinions, whose words tell their kind, but for a "not" before them.
std::string opinions_csv(int64_t rows) {
  const char* const good[] = {"lovely", "excellent", "tasty", "great"};
  const char* const bad[] = {"awful", "stale", "bitter", "poor"};
  const char* const things[] = {"tea", "bread", "soup", "cake", "rice"};
  Rng rng(4);
  std::string csv = "id,review,opinion\n";
  for (int64_t i = 0; i < rows; ++i) {
    const bool positive = rng.below(2) == 0, negated = rng.below(4) == 0;
    const char* word = (positive != negated ? good : bad)[rng.below(4)];
    csv += fmt::format("{},\"The {} was {}{}, said the {} guest\",{}\n", i, things[rng.below(5)], negated ? "not " : "", word, i % 7, positive ? "good" : "bad");
  }
  return csv;
}

const char* const kRecipe = R"(
data: {source: opinions.csv, target: opinion, text: {column: review}, split: {on_overlap: keep}}
)";
#define TOKENS "tokenizer: {vocab_size: 300}\ntrain: {epochs: 25, batch_size: 32, optimizer: {type: adamw, lr: 5e-3}}\n"
#define NGRAMS "ngrams: {words: [1, 2], characters: [3, 4]}\ntrain: {epochs: 25, batch_size: 32, optimizer: {type: sgd, lr: 3}, lr_scale: {bias: 0.1}}\n"

class Texts : public testing::TestWithParam<const char*> {
 protected:
  Texts() {
    project_.write("opinions.csv", opinions_csv(500));
    project_.write("opinions.yaml", std::string(kRecipe) + GetParam() + "\n");
  }
  Project project_;
};

TEST_P(Texts, FromTheFileToTheServedAnswer) {
  const Outcome run = project_.danlu({"run", "opinions.yaml"});
  ASSERT_EQ(run.code, 0) << run;
  const Json report = read_json(project_.run("opinions").file("report.json"));
  EXPECT_GT(report["metrics"]["accuracy"]["value"].get<double>(), 0.9) << "word order counts";

  project_.write("questions.csv", "review\n\"The soup was not stale, said the 3 guest\"\n\"The soup was stale, said the 3 guest\"\n\"\"\nžluťoučký 你好\n");
  const Outcome predicted = project_.danlu({"predict", "opinions", "questions.csv"});
  ASSERT_EQ(predicted.code, 0) << predicted;
  const std::vector<Json> lines = json_lines(predicted.out);
  ASSERT_EQ(lines.size(), 4u) << "no words and unknown words have an answer too";
  EXPECT_EQ(lines[0]["label"], "good");
  EXPECT_EQ(lines[1]["label"], "bad");

  const ServedModels server(project_, {"opinions"});
  const Json answer = post(server.port(), R"({"rows": [{"review": "The soup was not stale, said the 3 guest"}, {"review": ""}]})").json();
  for (const char* label : {"good", "bad"}) {
    EXPECT_NEAR(answer["predictions"][0]["probabilities"][label].get<double>(), lines[0]["probabilities"][label].get<double>(), 1e-5);
    EXPECT_NEAR(answer["predictions"][1]["probabilities"][label].get<double>(), lines[2]["probabilities"][label].get<double>(), 1e-5);
  }
}

TEST_P(Texts, TheSameWeightsForOneAndTwoThreadsAndAfterAnInterruption) {
  expect_same_weights(project_, {"run", "opinions.yaml", "train.epochs=4"}, "opinions");
}

INSTANTIATE_TEST_SUITE_P(Models, Texts, testing::Values(TOKENS "model: {type: lstm, embedding: 16, hidden: 16, dropout: 0}",
                                                        TOKENS "model: {type: gru, embedding: 16, hidden: 16, pooling: last, dropout: 0}",
                                                        TOKENS "model: {type: encoder, width: 32, heads: 2, layers: 2, dropout: 0}",
                                                        NGRAMS "model: bag_of_ngrams"));

TEST(TextRecipes, FindTheColumnAndCrossValidate) {
  const Project project;
  project.write("opinions.csv", opinions_csv(200));
  project.write("r.yaml", "data: {source: opinions.csv, target: opinion, split: {on_overlap: keep}}\nmodel: {type: gru, hidden: 8, embedding: 8}\n"
                          "tokenizer: {vocab_size: 280}\ntrain: {epochs: 2}\nevaluate: {kfold: {folds: 3}}\n");
  const Outcome run = project.danlu({"run", "r.yaml"});
  EXPECT_EQ(run.code, 0) << run;
  EXPECT_THAT(project.read("runs/r/resolved.yaml"), HasSubstr("text \"review\""));
  EXPECT_TRUE(fs::exists(project.run("r").file("kfold.json")));
}

// Without a model named, and with the parts that the data came with.
TEST(TextRecipes, DeriveABagOfNgramsAndExplainIt) {
  const Project project;
  std::istringstream lines(opinions_csv(300));
  std::string csv;
  int64_t row = -1;
  for (std::string line; std::getline(lines, line); ++row) csv += line + (row < 0 ? ",part" : row % 3 == 0 ? ",test" : ",train") + "\n";
  project.write("opinions.csv", csv);
  project.write("r.yaml", "data: {source: opinions.csv, target: opinion, text: {column: review}, split: {column: part, on_overlap: keep}}\ntrain: {epochs: 30}\n");
  const Outcome run = project.danlu({"run", "r.yaml"});
  ASSERT_EQ(run.code, 0) << run;
  const Json report = read_json(project.run("r").file("report.json"));
  EXPECT_EQ(report["samples"], 100);
  EXPECT_GT(report["metrics"]["accuracy"]["value"].get<double>(), 0.9);
  for (const Json& sample : read_json(project.run("r").file("split.json"))["test"]) EXPECT_EQ(sample.get<int64_t>() % 3, 0);
  EXPECT_THAT(project.read("runs/r/resolved.yaml"), HasSubstr("bag_of_ngrams"));
  const Outcome explained = project.danlu({"explain", "r", "opinions.csv"});
  ASSERT_EQ(explained.code, 0) << explained;
  EXPECT_THAT(explained.out, HasSubstr("\"contributions\""));
}

// Plain steps on n-grams are large.
TEST(TextRecipes, ARangeTestOfNgramsGoesFurther) {
  const Project project;
  project.write("opinions.csv", opinions_csv(300));
  project.write("r.yaml", "data: {source: opinions.csv, target: opinion, text: {column: review}, split: {on_overlap: keep}}\ntrain: {batch_size: 32, classification_loss: cross_entropy}\n");
  ASSERT_EQ(project.danlu({"prepare", "r.yaml"}).code, 0);
  const auto largest = [&](const Words& more) {
    Words words = {"lr-range", "r", "--steps", "100", "--log", "json"};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = project.danlu(words);
    EXPECT_EQ(outcome.code, 0) << outcome;
    return json_lines(outcome.out).back().at("points").back()[0].get<double>();
  };
  EXPECT_GT(largest({}), 1.5);
  EXPECT_LE(largest({"--to", "1"}), 1.0001) << "as one asks";
}

TEST(TextRecipes, BadOnesAreRefused) {
  const Project project;
  project.write("opinions.csv", opinions_csv(60));
  project.write("r.yaml", "data: {source: opinions.csv, target: opinion}\nmodel: lstm\ntrain: {epochs: 1}\n");
  expect_refused(project, {"run", "r.yaml", "data.text.column=revew"}, kFailed, {"revew", "did you mean \"review\"?"});
  expect_refused(project, {"run", "r.yaml", "model={type: mlp}", "data.text.column=review"}, kUsage, {"mlp", "text"});
  expect_refused(project, {"check", "r.yaml", "data.text.clean.html=true"}, kUsage, {"data.text.clean.html: got true; expected none: a recipe of texts of tokens does not read it", "for language models"});
  expect_refused(project, {"run", "r.yaml", "data.split.column=opinion"}, kFailed, {"opinions.csv:2 column \"opinion\"", "expected train, validation or test"});
  expect_refused(project, {"check", "r.yaml", "model=bag_of_ngrams", "ngrams.min_documents=1000"}, kFailed, {"no n-gram that is in 1000 of", "lower ngrams.min_documents"});
  project.write("opinions.csv", "review,opinion\nlovely tea,good\nlovely soup,good\nlovely cake,good\nlovely rice,good\n");
  expect_refused(project, {"check", "r.yaml", "model=bag_of_ngrams"}, kFailed, {"one class", "good"});
}

}  // namespace
}  // namespace danlu::test
