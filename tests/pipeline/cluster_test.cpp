// Groups that nobody has named, from rows or images to the served answer.
#include <gmock/gmock.h>

#include "danlu/base/base64.h"
#include "danlu/base/json.h"
#include "danlu/base/rng.h"
#include "danlu/data/image/decode.h"
#include "tests/client.h"
#include "tests/misuse/refusal.h"
#include "tests/program.h"
#include "tests/same_weights.h"

namespace danlu::test {
namespace {

using testing::HasSubstr;

// Three kinds of customers: many small baskets, few large ones, and those who come at night. `note` is the same for all.
std::string customers_csv(int64_t rows, const std::string& more = "") {
  Rng rng(6);
  std::string csv = "basket,visits,hour,shop,note\n";
  const float baskets[] = {12, 140, 35}, visits[] = {9, 2, 4}, hours[] = {10, 15, 23};
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t kind = i % 3;
    csv += fmt::format("{:.2f},{:.1f},{:.1f},{},x\n", baskets[kind] + 4 * rng.normal(), visits[kind] + 0.5f * rng.normal(), hours[kind] + 0.7f * rng.normal(), kind == 2 ? "station" : "market");
  }
  return csv + more;
}

class Clusters : public testing::Test {
 protected:
  Clusters() {
    project_.write("customers.csv", customers_csv(600));
    project_.write("customers.yaml", "data: {source: customers.csv}\nmodel: kmeans\n");
  }
  Json report(const char* run) const { return read_json(project_.run(run).file("report.json")); }
  Project project_;
};

TEST_F(Clusters, FromRowsToTheServedAnswer) {
  const Outcome run = project_.danlu({"run", "customers.yaml", "evaluate.gates={silhouette: 0.5, stability: 0.9}"});
  ASSERT_EQ(run.code, 0) << run;
  EXPECT_THAT(project_.read("runs/customers/resolved.yaml"), HasSubstr("clusters: 3"));
  EXPECT_THAT(project_.read("runs/customers/resolved.yaml"), HasSubstr("mean silhouette of 60 validation samples is the highest; 2 0."));
  const Json found = report("customers");
  EXPECT_EQ(found["task"], "clustering");
  EXPECT_GT(found["metrics"]["silhouette"]["value"].get<double>(), 0.6);
  EXPECT_GT(found["metrics"]["explained_variance"]["value"].get<double>(), 0.8);
  EXPECT_EQ(found["metrics"]["stability"]["value"].get<double>(), 1) << "both halves have the same three kinds";
  EXPECT_LT(found["metrics"]["davies_bouldin"]["value"].get<double>(), 0.6);
  ASSERT_EQ(found["clusters"].size(), 3u);
  int64_t rows = 0;
  for (const Json& cluster : found["clusters"]) rows += cluster["test"].get<int64_t>();
  EXPECT_EQ(rows, found["samples"].get<int64_t>());
  EXPECT_THAT(project_.read("runs/customers/report.html"), HasSubstr("<h2>Clusters</h2>"));
  EXPECT_THAT(project_.read("runs/customers/report.html"), HasSubstr("station"));
  EXPECT_THAT(project_.read("runs/customers/bundle/card.md"), HasSubstr("kmeans"));

  project_.write("new.csv", "hour,basket,visits,shop\n23,34,4,station\n10,12,9,market\n15,,2,market\n");
  const Outcome predicted = project_.danlu({"predict", "customers", "new.csv"});
  ASSERT_EQ(predicted.code, 0) << predicted;
  std::vector<Json> lines = json_lines(predicted.out);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_NE(lines[0]["cluster"], lines[1]["cluster"]);
  EXPECT_EQ(lines[0]["distances"].size(), 3u);
  const ServedModels server(project_, {"customers"});
  const Json answer = post(server.port(), R"({"rows": [{"hour": 23, "basket": 34, "visits": 4, "shop": "station"}, {"hour": 10, "basket": 12, "visits": 9, "shop": "market"},
                                                       {"hour": 15, "basket": null, "visits": 2, "shop": "market"}]})").json();
  for (size_t i = 0; i < 3; ++i) {
    lines[i].erase("line");
    EXPECT_EQ(answer["predictions"][i], lines[i]) << i;
  }
  EXPECT_EQ(post(server.port(), project_.read("runs/customers/example_request.json")).status, 200);
  const Answer why = post(server.port(), R"({"rows": [{"hour": 23, "basket": 34, "visits": 4, "shop": "station"}], "explain": true})");
  EXPECT_EQ(why.status, 422);
  EXPECT_THAT(why.body, HasSubstr("the distances say why"));

  ASSERT_EQ(project_.danlu({"predict", "customers", "new.csv", "-o", "new.answers.csv"}).code, 0);
  EXPECT_THAT(project_.read("new.answers.csv"), testing::StartsWith("line,cluster,distance_1,distance_2,distance_3\n"));
  EXPECT_EQ(project_.danlu({"report", "customers"}).code, 0);
  EXPECT_EQ(project_.danlu({"evaluate", "customers"}).code, 0);
  const Outcome verified = project_.danlu({"verify", "customers"});
  EXPECT_EQ(verified.code, 0) << verified;
}

TEST_F(Clusters, TheSameForOneAndTwoThreadsAndAfterAKill) {
  const Words words = {"run", "customers.yaml", "model.restarts=200", "model.clusters=7"};
  const Outcome first = project_.danlu(words, {"OMP_NUM_THREADS=1"});
  ASSERT_EQ(first.code, 0) << first;
  const std::string one = weights_hash(project_, "customers");
  fs::remove_all(project_ / "runs");
  ASSERT_EQ(project_.danlu(words, {"OMP_NUM_THREADS=2"}).code, 0);
  EXPECT_EQ(weights_hash(project_, "customers"), one);
  for (bool killed = false; !killed;) {
    fs::remove_all(project_ / "runs");
    const auto process = project_.start(words, {"OMP_NUM_THREADS=2"});
    while (process->is_running() && !fs::exists(project_.run("customers").file("metrics.jsonl"))) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    process->signal(SIGKILL);
    killed = process->wait().code == -SIGKILL;
  }
  const Outcome again = project_.danlu(words, {"OMP_NUM_THREADS=1"});
  ASSERT_EQ(again.code, 0) << again;
  EXPECT_EQ(weights_hash(project_, "customers"), one);
  EXPECT_EQ(project_.run("customers").lines("metrics.jsonl").size(), 200u);
}

TEST_F(Clusters, OfImages) {
  Rng rng(6);
  for (int i = 0; i < 120; ++i) {
    data::Image image{8, 8, 1, std::vector<uint8_t>(64)};
    for (size_t p = 0; p < 64; ++p) image.pixels[p] = static_cast<uint8_t>((i % 2 == 0) == (p % 8 < 4) ? 200 + rng.below(40) : rng.below(40));
    write_file_atomic(project_ / "halves" / fmt::format("{:03}.png", i), data::encode_png(image));
  }
  project_.write("halves.yaml", "data: {source: halves}\nmodel: {type: kmeans, clusters: 2}\n");
  const Outcome run = project_.danlu({"run", "halves.yaml"});
  ASSERT_EQ(run.code, 0) << run;
  EXPECT_GT(report("halves")["metrics"]["silhouette"]["value"].get<double>(), 0.7);
  EXPECT_THAT(project_.read("runs/halves/report.html"), HasSubstr("data:image/png;base64"));
  const Outcome predicted = project_.danlu({"predict", "halves", "halves/000.png", "halves/001.png", "halves/002.png"});
  ASSERT_EQ(predicted.code, 0) << predicted;
  const ServedModels server(project_, {"halves"});
  std::vector<std::string> clusters;
  for (Json said : json_lines(predicted.out)) {
    const Json answer = post(server.port(), to_line(Json{{"image", base64_encode(project_.read(said["file"].get<std::string>()))}})).json();
    said.erase("file");
    EXPECT_EQ(answer["predictions"][0], said);
    clusters.push_back(said["cluster"]);
  }
  EXPECT_EQ(clusters[0], clusters[2]);
  EXPECT_NE(clusters[0], clusters[1]);
}

TEST_F(Clusters, TheResolvedRecipeIsARecipe) {
  ASSERT_EQ(project_.danlu({"run", "customers.yaml"}).code, 0);
  const std::string hash = weights_hash(project_, "customers");
  project_.write("again.yaml", project_.read("runs/customers/resolved.yaml"));
  const Outcome again = project_.danlu({"run", "again.yaml", "--fresh"});
  ASSERT_EQ(again.code, 0) << again;
  EXPECT_EQ(weights_hash(project_, "customers"), hash);
}

TEST_F(Clusters, WhatIsStoppedBeginsAgainAndSaysSo) {
  project_.write("customers.csv", customers_csv(9000));
  const auto process = project_.start({"run", "customers.yaml", "model.clusters=60", "model.restarts=1000"});
  while (process->is_running() && !fs::exists(project_.run("customers").file("metrics.jsonl"))) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  process->signal(SIGINT);
  const Outcome stopped = process->wait();
  EXPECT_EQ(stopped.code, kFailed) << stopped;
  EXPECT_THAT(stopped.out, HasSubstr("runs/customers was stopped; the same command begins again; its best weights so far: danlu evaluate runs/customers"));
  EXPECT_TRUE(fs::exists(project_.run("customers").checkpoints() / "best.safetensors"));
  const Outcome ended = project_.danlu({"train", "customers", "--deadline", "1s"});
  EXPECT_EQ(ended.code, 0) << ended;
  EXPECT_EQ(project_.run("customers").info()["training"]["stopped_by"], "deadline");
}

TEST_F(Clusters, WhatMakesNoSenseIsRefused) {
  expect_refused(project_, {"run", "customers.yaml", "--profile"}, kUsage, {"--profile: kmeans has no updates"});
  expect_refused(project_, {"run", "customers.yaml", "data.class_names=[a, b]"}, kUsage, {"data.class_names: got [\"a\",\"b\"]; expected none: a recipe of kmeans does not read it"});
  expect_refused(project_, {"run", "customers.yaml", "evaluate.kfold.folds=3"}, kUsage, {"evaluate.kfold.folds: got 3; expected none"});
  expect_refused(project_, {"run", "customers.yaml", "model.clusters=500"}, kUsage, {"model.clusters", "got 500", "420 training samples"});
  expect_refused(project_, {"run", "customers.yaml", "model.clusters=-1"}, kUsage, {"model.clusters", "-1"});
  expect_refused(project_, {"run", "customers.yaml", "data.target=shop"}, kUsage, {"data.target", "shop", "data.columns.shop.drop=true"});
  expect_refused(project_, {"run", "customers.yaml", "train.epochs=3"}, kUsage, {"train", "model.restarts"});
  expect_refused(project_, {"run", "customers.yaml", "decision.threshold=0.2"}, kUsage, {"decision"});
  expect_refused(project_, {"run", "customers.yaml", "evaluate.gates={accuracy: 0.5}"}, kUsage, {"accuracy"});
  expect_refused(project_, {"run", "customers.yaml", "data.split.test=0"}, kUsage, {"test"});
  std::string constant = "n,a,b\n", copies = constant;
  for (int i = 0; i < 60; ++i) {
    constant += fmt::format("{},1,2\n", i);
    copies += fmt::format("{},{},{}\n", i, i % 3, (i % 3) * 2);
  }
  project_.write("constant.csv", constant);
  expect_refused(project_, {"run", "customers.yaml", "data.source=constant.csv", "data.columns.n.drop=true"}, kFailed, {"constant.csv", "no column is left to learn from"});
  project_.write("copies.csv", copies);
  expect_refused(project_, {"run", "customers.yaml", "data.source=copies.csv", "data.columns.n.drop=true", "data.all_columns.type=number", "model.clusters=9"}, kFailed, {"got 3 different samples", "9 clusters"});
  project_.write("gaps.csv", customers_csv(90, "nan,3,4,market,x\n,inf,4,market,x\n"));
  expect_refused(project_, {"run", "customers.yaml", "data.source=gaps.csv"}, kFailed, {"gaps.csv:93", "visits", "\"inf\" is not a finite number"});
}

}  // namespace
}  // namespace danlu::test
