// Interactions from the file to the served recommendation, by every recommender.
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

constexpr int64_t kKinds = 3, kOfKind = 12;

// Readers of crime, of travel and of cookery, who read a kind's books in the order of its shelf from somewhere on, with now and then a
// book left out. All books are read equally often.
std::string loans_csv(int64_t readers) {
  const char* const kinds[] = {"crime", "travel", "cookery"};
  Rng rng(4);
  std::string csv = "reader,book,stars,day,title,kind\n";
  for (int64_t reader = 0; reader < readers; ++reader) {
    const int64_t kind = reader % kKinds;
    int64_t book = rng.below(kOfKind);
    for (int64_t day = 0; day < 8; ++day) {
      book = (book + (rng.below(5) == 0 ? 2 : 1)) % kOfKind;
      csv += fmt::format("r{},{},{},2024-03-{:02},\"{}, volume {}\",{}\n", reader, 100 * kind + book, 1 + rng.below(5), day + 1, kinds[kind], book, kinds[kind]);
    }
  }
  return csv;
}

const char* const kRecipe = R"(
data:
  source: loans.csv
  interactions: {user: reader, item: book, time: day, rating: stars, title: title, item_features: kind, user_features: []}
evaluate: {top: 5}
)";

class Recommendations : public testing::TestWithParam<const char*> {
 protected:
  Recommendations() {
    project_.write("loans.csv", loans_csv(90));
    project_.write("loans.yaml", std::string(kRecipe) + GetParam() + "\n");
  }
  Project project_;
};

TEST_P(Recommendations, FromTheFileToTheServedAnswer) {
  const Outcome run = project_.danlu({"run", "loans.yaml"});
  ASSERT_EQ(run.code, 0) << run;
  const Json report = read_json(project_.run("loans").file("report.json"));
  const double ndcg = report["metrics"]["ndcg@5"]["value"], popularity = report["baselines"]["popularity"]["metrics"]["ndcg@5"]["value"];
  EXPECT_GT(ndcg, popularity + 0.15);
  EXPECT_GT(report["baselines"]["popularity"]["gain"]["interval"][0].get<double>(), 0) << "and not by chance";
  EXPECT_GT(report["strangers"]["metrics"]["ndcg@5"]["value"].get<double>(), popularity + 0.1) << "what a stranger met says what it likes";
  EXPECT_EQ(report["samples"], 90);
  const std::string page = project_.read("runs/loans/report.html");
  EXPECT_THAT(page, HasSubstr("Beside popularity"));
  EXPECT_THAT(page, HasSubstr(", volume "));

  project_.write("readers.csv", "reader,items\nr7,\nr8,\nnobody,\nnobody,100|101|102\n,no-such-book|205\n");
  const Outcome predicted = project_.danlu({"predict", "loans", "readers.csv", "--top", "4"});
  ASSERT_EQ(predicted.code, 0) << predicted;
  const Words lines = lines_of(predicted.out);
  ASSERT_EQ(lines.size(), 5u) << predicted;
  EXPECT_EQ(parse_json(lines[0], "line")["items"].size(), 4u);

  const ServedModels server(project_, {"loans"});
  const Words questions = {R"({"user": "r7", "k": 4})", R"({"user": "r8", "k": 4})", R"({"user": "nobody", "k": 4})", R"({"user": "nobody", "items": [100, "101", 102], "k": 4})",
                           R"({"items": ["no-such-book", "205"], "k": 4})"};
  const Words by = {"user", "user", "popularity", "items", "items"};
  for (size_t i = 0; i < questions.size(); ++i) {
    SCOPED_TRACE(questions[i]);
    Json answer = post(server.port(), questions[i], "application/json", "/v1/recommend").json();
    Json line = parse_json(lines[i], "line");
    EXPECT_EQ(answer["by"], by[i]);
    EXPECT_EQ(answer["model"], "loans");
    answer.erase("model");
    line.erase("line");
    line.erase("user");
    EXPECT_EQ(answer, line);
  }
  EXPECT_EQ(parse_json(lines[2], "line")["unknown"], Json::array({"nobody"}));
  EXPECT_EQ(parse_json(lines[4], "line")["unknown"], Json::array({"no-such-book"}));
}

TEST_P(Recommendations, TheSameWeightsForOneAndTwoThreadsAndAfterAnInterruption) {
  expect_same_weights(project_, {"run", "loans.yaml", "train.epochs=6", "train.save_every=1"}, "loans");
}

INSTANTIATE_TEST_SUITE_P(
    Models, Recommendations,
    testing::Values("model: {type: factorization, width: 16}\ntrain: {epochs: 40, batch_size: 32, ranking_loss: bpr, negatives: 4, optimizer: {type: adamw, lr: 1e-2}}",
                    "model: {type: two_tower, width: 16, hidden: [16], length: 3}\ntrain: {epochs: 20, batch_size: 32, ranking_loss: sampled_softmax, negatives: 10, optimizer: {type: adamw, lr: 5e-3}}",
                    "model: {type: sequential, layer: gru, width: 16, length: 4, dropout: 0.1}\ntrain: {epochs: 30, batch_size: 16, optimizer: {type: adamw, lr: 1e-2}}",
                    "model: {type: sequential, layer: transformer, width: 16, length: 4, dropout: 0.1}\ntrain: {epochs: 30, batch_size: 16, optimizer: {type: adamw, lr: 1e-2}}"));

TEST(RecommendationRecipes, AreDerivedWhereTheyLeaveThingsOpen) {
  const Project project;
  project.write("loans.csv", loans_csv(40));
  project.write("r.yaml", "data: {source: loans.csv, interactions: {user: reader, item: book, time: day}}\ntrain: {epochs: 2}\nevaluate: {gates: {ndcg@10: 0.99}}\n");
  const Outcome run = project.danlu({"run", "r.yaml"});
  EXPECT_EQ(run.code, 3) << "a gate that nothing reaches\n" << run;
  EXPECT_THAT(project.read("runs/r/resolved.yaml"), HasSubstr("type: sequential"));
  EXPECT_EQ(project.danlu({"evaluate", "r"}).code, 3);
  EXPECT_EQ(project.danlu({"report", "r"}).code, 0);
}

TEST(RecommendationRecipes, BadDataAreRefusedOrToldOf) {
  const Project project;
  const auto recipe = [&](const std::string& csv, const std::string& more = "") {
    project.write("loans.csv", csv);
    project.write("r.yaml", "data: {source: loans.csv, interactions: {user: reader, item: book, time: day, rating: stars" + more +
                                "}}\nmodel: {type: factorization, width: 4}\ntrain: {epochs: 1, ranking_loss: bpr}\n");
  };
  const std::string head = "reader,book,stars,day\n", good = "a,1,3,5\na,2,3,6\na,3,3,7\nb,1,2,5\nb,3,1,6\nb,2,1,7\n";
  recipe(head + good + "b,4,many,9\n");
  expect_refused(project, {"run", "r.yaml"}, kFailed, {"loans.csv:8 column \"stars\"", "\"many\"", "a number", "on_bad_row: drop"});
  recipe(head + good + "b,4,3,\n");
  expect_refused(project, {"run", "r.yaml"}, kFailed, {"loans.csv:8 column \"day\"", "nothing", "a number or a date"});
  recipe(head + good + ",4,3,8\n");
  expect_refused(project, {"run", "r.yaml"}, kFailed, {"loans.csv:8 column \"reader\"", "a user"});
  recipe(head + "a,1,3,5\nb,2,3,5\n");
  expect_refused(project, {"run", "r.yaml"}, kFailed, {"no user has two interactions"});
  expect_refused(project, {"run", "r.yaml", "data.interactions.user=readr"}, kFailed, {"readr", "did you mean \"reader\"?"});
  recipe(head + good);
  expect_refused(project, {"run", "r.yaml", "train.monitor=accuracy"}, kUsage, {"accuracy", "loss"});
  expect_refused(project, {"run", "r.yaml", "evaluate.gates={ndcg@5: 0.1}"}, kUsage, {"ndcg@5", "ndcg@10"});
  expect_refused(project, {"run", "r.yaml", "evaluate.top=0"}, kUsage, {"evaluate.top", "0"});
  expect_refused(project, {"run", "r.yaml", "model={type: sequential, width: 9, heads: 2}"}, kUsage, {"model.heads", "9"});
  expect_refused(project, {"run", "r.yaml", "data.interactions.rating=\"\"", "data.interactions.min_rating=3"}, kUsage, {"min_rating", "rating"});

  recipe(head + good + "b,4,many,9\nc,1,5,1\na,1,4,9\n", ", on_bad_row: drop");  // nor is an item left that could be validated with
  const Outcome run = project.danlu({"run", "r.yaml"});
  ASSERT_EQ(run.code, 0) << run;
  const std::string found = project.read("runs/r/data_report.txt");
  EXPECT_THAT(found, HasSubstr("1 users have one interaction"));
  EXPECT_THAT(found, HasSubstr("1 rows are of an item that the user had met before"));
  EXPECT_THAT(found, HasSubstr("1 rows without user, item or time"));
}

TEST(RecommendationRequests, BadOnesAreRefused) {
  const Project project;
  project.write("loans.csv", loans_csv(30));
  project.write("r.yaml", std::string(kRecipe) + "model: {type: factorization, width: 4}\ntrain: {epochs: 1, ranking_loss: bpr}\n");
  ASSERT_EQ(project.danlu({"run", "r.yaml"}).code, 0);
  const ServedModels server(project, {"r"});
  const auto ask = [&](const std::string& body) { return post(server.port(), body, "application/json", "/v1/recommend"); };
  EXPECT_EQ(ask(R"({"user": "r1", "k": 0})").status, 400);
  EXPECT_EQ(ask(R"({"user": "r1", "k": -3})").status, 400);
  EXPECT_EQ(ask(R"({"user": "r1", "k": 1e99})").status, 400);
  EXPECT_EQ(ask(R"({"user": "r1", "k": 10001})").status, 400);
  EXPECT_EQ(ask(R"({"user": ["r1"]})").status, 400);
  EXPECT_EQ(ask(R"({"items": "100"})").status, 400);
  EXPECT_EQ(ask(R"({"items": [{}]})").status, 400);
  EXPECT_EQ(ask("[]").status, 400);
  EXPECT_EQ(ask(R"({"model": "other"})").status, 404);
  EXPECT_EQ(ask("{}").json()["by"], "popularity");
  EXPECT_LE(ask(R"({"user": "r1", "k": 10000})").json()["items"].size(), 36u) << "no more than there are";
  EXPECT_THAT(post(server.port(), R"({"model": "r", "rows": [{}]})").body, HasSubstr("/v1/recommend"));

  expect_refused(project, {"predict", "r", "loans.csv", "--top", "0"}, kUsage, {"top", "0"});
  project.write("people.csv", "name\nr1\n");
  expect_refused(project, {"predict", "r", "people.csv"}, kFailed, {"\"reader\"", "\"items\""});

  // A bundle that does not fit together is refused, not run.
  const fs::path catalogue = project.run("r").bundle() / "catalogue.json";
  Json json = read_json(catalogue);
  json["users"][0]["history"] = Json::array({100000});
  write_json(catalogue, json);
  const Outcome predicted = project.danlu({"predict", "r", "loans.csv"});
  EXPECT_EQ(predicted.code, kFailed);
  EXPECT_THAT(predicted.err, HasSubstr("100000"));
}

}  // namespace
}  // namespace danlu::test
