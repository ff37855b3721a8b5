// Why a model answers as it does, from the run to the served answer: rows, texts and images.
#include <gmock/gmock.h>

#include <cmath>
#include <functional>

#include "danlu/base/base64.h"
#include "danlu/data/image/decode.h"
#include "tests/client.h"
#include "tests/misuse/refusal.h"
#include "tests/samples.h"

namespace danlu::test {
namespace {

using testing::HasSubstr;
using testing::Not;

// The contributions add up to the answer less the baseline, and the answer is the one that is given.
void expect_complete(const Json& answer) {
  const Json& e = answer["explanation"];
  double sum = 0;
  if (e.contains("patches")) {
    for (const Json& row : e["patches"]) {
      for (const Json& value : row) sum += value.get<double>();
    }
  } else {
    for (const Json& c : e["contributions"]) sum += c["contribution"].get<double>();
  }
  EXPECT_NEAR(sum, e["answer"].get<double>() - e["baseline"].get<double>(), 1e-9);
  const double given = answer.contains("label") ? answer["probabilities"][answer["label"].get<std::string>()].get<double>() : answer["value"].get<double>();
  EXPECT_NEAR(e["answer"].get<double>(), given, 1e-6 * std::max(1.0, std::abs(given)));
}

class Explanations : public testing::Test {
 protected:
  void run(const Words& words) {
    const Outcome outcome = project_.danlu(words);
    ASSERT_EQ(outcome.code, 0) << outcome;
  }
  Json found(const std::string& name) const { return read_json(project_.run(name).file("explanation.json")); }
  std::string card(const std::string& name) const { return project_.read("runs/" + name + "/bundle/card.md"); }
  std::vector<Json> explained(const std::string& name, const std::string& file) const {
    const Outcome outcome = project_.danlu({"explain", name, file});
    EXPECT_EQ(outcome.code, 0) << outcome;
    std::vector<Json> answers = json_lines(outcome.out);
    for (const Json& answer : answers) expect_complete(answer);
    return answers;
  }
  Project project_;
};

TEST_F(Explanations, OfRows) {
  project_.write("points.csv", points_csv(300));
  run({"run", "--data", "points.csv", "--target", "kind", "train.epochs=15"});
  const Json importance = found("points")["importance"];
  EXPECT_EQ(importance["metric"], "auc");
  ASSERT_EQ(importance["columns"].size(), 3u);
  EXPECT_EQ(importance["columns"][2]["column"], "colour") << "which tells nothing";
  EXPECT_LT(std::abs(importance["columns"][2]["importance"].get<double>()), 0.02);
  EXPECT_GT(importance["columns"][0]["importance"].get<double>(), 0.05);
  EXPECT_THAT(card("points"), HasSubstr("What the columns are worth"));
  EXPECT_THAT(project_.read("runs/points/report.html"), HasSubstr("What the columns are worth"));
  const Outcome told = project_.danlu({"explain", "points"});
  EXPECT_THAT(told.out, HasSubstr("colour"));

  project_.write("questions.csv", "x,y,colour\n2.5,2,red\n-2,-2.5,blue\n2,-2,\n");
  const std::vector<Json> answers = explained("points", "questions.csv");
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[0]["label"], "far");
  const Json& contributions = answers[0]["explanation"]["contributions"];
  EXPECT_EQ(contributions.size(), 3u);
  EXPECT_EQ(contributions[2]["column"], "colour");
  EXPECT_GT(contributions[0]["contribution"].get<double>(), 0.1);
  EXPECT_THAT(answers[0]["explanation"]["reasons"][0].get<std::string>(), testing::AnyOf(HasSubstr("x = 2.5: +"), HasSubstr("y = 2: +")));

  const ServedModels server(project_, {"points"});
  const Json one = post(server.port(), R"({"row": {"x": 2.5, "y": 2, "colour": "red"}, "explain": true})").json()["predictions"][0];
  for (const char* key : {"answer", "baseline"}) EXPECT_NEAR(one["explanation"][key].get<double>(), answers[0]["explanation"][key].get<double>(), 1e-6);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(one["explanation"]["contributions"][i]["column"], contributions[i]["column"]);
    EXPECT_NEAR(one["explanation"]["contributions"][i]["contribution"].get<double>(), contributions[i]["contribution"].get<double>(), 1e-5);
  }
  EXPECT_FALSE(post(server.port(), R"({"row": {"x": 2.5, "y": 2, "colour": "red"}})").json()["predictions"][0].contains("explanation"));
  EXPECT_TRUE(post(server.port(), R"({"row": {"x": 2.5, "y": 2, "colour": null}})", "application/json", "/v1/predict?explain=true").json()["predictions"][0].contains("explanation"));

  const Answer wrong = post(server.port(), R"({"row": {"x": 2.5, "y": 2, "colour": "red"}, "explain": "yes"})");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_THAT(wrong.body, HasSubstr("expected true or false"));
  Json many = {{"explain", true}, {"rows", Json::array()}};
  for (int i = 0; i < 17; ++i) many["rows"].push_back({{"x", i}, {"y", 1}, {"colour", "red"}});
  EXPECT_EQ(post(server.port(), many.dump()).status, 413);
  const Answer absurd = post(server.port(), R"({"row": {"x": 1e38, "y": -1e38, "colour": "red"}, "explain": true})");
  EXPECT_TRUE(absurd.status == 200 || absurd.status == 422) << absurd.body;
}

TEST_F(Explanations, OfNumbers) {
  project_.write("houses.csv", houses_csv(200));
  run({"run", "--data", "houses.csv", "--target", "price", "train.epochs=20"});
  EXPECT_EQ(found("houses")["importance"]["metric"], "rmse");
  EXPECT_EQ(found("houses")["importance"]["columns"][0]["column"], "area");
  const std::vector<Json> answers = explained("houses", "houses.csv");
  EXPECT_EQ(answers.size(), 200u);
  EXPECT_FALSE(answers[0]["explanation"].contains("class"));
  const Outcome few = project_.danlu({"explain", "houses", "houses.csv", "--most", "3", "-o", "why.html"});
  EXPECT_EQ(few.code, 0) << few;
  EXPECT_THAT(project_.read("why.html"), HasSubstr("Line 4"));
  EXPECT_THAT(project_.read("why.html"), Not(HasSubstr("Line 5")));
}

TEST_F(Explanations, OfTexts) {
  Rng rng(4);
  std::string csv = "review,opinion\n";
  for (int i = 0; i < 400; ++i) {
    const bool good = rng.below(2) == 0;
    constexpr const char* kGood[] = {"lovely", "tasty"};
    constexpr const char* kBad[] = {"awful", "stale"};
    constexpr const char* kThings[] = {"tea", "soup", "bread"};
    csv += fmt::format("\"The {} was {} today, {}\",{}\n", kThings[rng.below(3)], (good ? kGood : kBad)[rng.below(2)], i % 5, good ? "good" : "bad");
  }
  project_.write("opinions.csv", csv);
  project_.write("opinions.yaml", "data: {source: opinions.csv, target: opinion, text: {column: review}, split: {on_overlap: keep}}\ntokenizer: {vocab_size: 300}\n"
                                  "model: {type: gru, embedding: 16, hidden: 16, dropout: 0}\ntrain: {epochs: 8, batch_size: 32, optimizer: {type: adamw, lr: 1e-2}}\n");
  run({"run", "opinions.yaml"});
  const Json words = found("opinions")["words"];
  EXPECT_GE(words["texts"].get<int64_t>(), 30);
  for (const Json& of_class : words["classes"]) {
    const std::string first = of_class["for"][0]["word"];
    if (of_class["class"] == "good") {
      EXPECT_THAT(first, testing::AnyOf("lovely", "tasty"));
    } else {
      EXPECT_THAT(first, testing::AnyOf("awful", "stale"));
    }
  }
  EXPECT_THAT(project_.read("runs/opinions/report.html"), HasSubstr("<mark style"));

  project_.write("questions.csv", "review\n\"The tea was stale today, 3\"\n\"\"\n\"" + std::string(5000, 'x') + "\"\n");
  const std::vector<Json> answers = explained("opinions", "questions.csv");
  ASSERT_EQ(answers.size(), 3u);
  std::string whole;
  double most = 0;
  std::string word;
  for (const Json& part : answers[0]["explanation"]["contributions"]) {
    whole += part["text"].get<std::string>();
    if (part["contribution"].get<double>() > most) most = part["contribution"], word = part["text"];
  }
  EXPECT_EQ(whole, "The tea was stale today, 3");
  EXPECT_EQ(word, " stale");
  EXPECT_TRUE(answers[1]["explanation"]["contributions"].empty());
  EXPECT_GT(answers[2]["explanation"]["bytes_not_read"].get<int64_t>(), 1000);
}

TEST_F(Explanations, OfImages) {
  write_squares(project_ / "squares", 60);
  run({"run", "--data", "squares", "train.epochs=6"});
  const Json samples = found("squares")["samples"];
  ASSERT_FALSE(samples.empty());
  const data::Image map = data::decode_image(base64_decode(samples[0]["map"].get<std::string>()).value(), "map");
  EXPECT_EQ(map.channels, 3);
  EXPECT_GE(map.height, 100);
  EXPECT_THAT(project_.read("runs/squares/report.html"), HasSubstr("gallery maps"));
  const std::vector<Json> answers = explained("squares", "squares/bright");
  ASSERT_EQ(answers.size(), 30u);
  EXPECT_EQ(answers[0]["explanation"]["patches"].size(), 7u);
  EXPECT_EQ(project_.danlu({"explain", "squares", "squares/dark", "--most", "2", "-o", "why.html"}).code, 0);
  EXPECT_THAT(project_.read("why.html"), HasSubstr("data:image/png;base64,"));

  const ServedModels server(project_, {"squares"});
  const Json question = {{"image", base64_encode(project_.read("squares/bright/0.png"))}, {"explain", true}};
  const Json one = post(server.port(), question.dump()).json()["predictions"][0];
  expect_complete(one);
}

TEST_F(Explanations, AreNotMadeWhereNobodyWantsThem) {
  project_.write("points.csv", points_csv(80));
  run({"run", "--data", "points.csv", "--target", "kind", "train.epochs=1", "evaluate.explain_seconds=0"});
  EXPECT_FALSE(fs::exists(project_.run("points").file("explanation.json"))) << "nothing is no explanation";
  EXPECT_THAT(card("points"), Not(HasSubstr("Why it answers")));
  expect_refused(project_, {"explain", "points"}, kFailed, {"runs/points was evaluated with evaluate.explain_seconds: 0", "danlu explain runs/points FILE"});
  expect_refused(project_, {"explain", "absent"}, kFailed, {"got run \"absent\""});
  expect_refused(project_, {"explain", "points", "points.csv", "-o", "a.csv"}, kUsage, {"a.csv; expected a name that ends in .jsonl or .html"});
  expect_refused(project_, {"explain", "points", "none.csv"}, kFailed, {"none.csv"});

  run({"prepare", "--data", "points.csv", "--target", "kind", "--name", "begun", "train.epochs=1"});
  expect_refused(project_, {"explain", "begun"}, kFailed, {"runs/begun has not been evaluated", "danlu evaluate runs/begun"});
  project_.write("groups.yaml", "data: {source: points.csv}\nmodel: {type: kmeans, clusters: 2}\n");
  run({"run", "groups.yaml"});
  expect_refused(project_, {"explain", "groups"}, kFailed, {"runs/groups has no reasons to give", "with one target", "report.html"});

  // A bundle of an earlier version has no background; evaluating its run again makes it.
  fs::remove(project_.run("points").bundle() / "background.json");
  expect_refused(project_, {"explain", "points", "points.csv"}, kFailed, {"has no background.json", "evaluate its run again"});
  run({"evaluate", "points"});
  EXPECT_EQ(explained("points", "points.csv").size(), 80u);
}

}  // namespace
}  // namespace danlu::test
