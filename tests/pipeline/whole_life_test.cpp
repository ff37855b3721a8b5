// From raw files to answers, for each kind of data: run, then the same questions to `danlu predict` and to the server.
#include <gmock/gmock.h>

#include <functional>
#include <sstream>

#include "danlu/base/base64.h"
#include "danlu/data/table/read_table.h"
#include "danlu/data/table/values.h"
#include "tests/client.h"
#include "tests/program.h"
#include "tests/samples.h"

namespace danlu::test {
namespace {

using testing::HasSubstr;

// The rows of a table file as a client of the server writes them.
Json rows_of(const fs::path& file, const std::string& target) {
  const data::Table table = data::read_table(file);
  Json rows = Json::array();
  for (int64_t r = 0; r < table.num_rows(); ++r) {
    Json row = Json::object();
    for (int64_t c = 0; c < table.num_columns(); ++c) {
      if (table.column(c).name == target) continue;
      const data::Cell cell = table.cell(r, c);
      const auto number = data::parse_number(cell);
      row[table.column(c).name] = data::is_missing(cell) ? Json(nullptr) : number ? Json(*number) : Json(cell);
    }
    rows.push_back(row);
  }
  return rows;
}

// The answers of `danlu predict` without the words that say where each question stood.
Json predictions_of(const std::string& out) {
  Json answers = Json::array();
  for (Json answer : json_lines(out)) {
    answer.erase("line");
    answer.erase("file");
    answers.push_back(answer);
  }
  return answers;
}

class WholeLife : public testing::Test {
 protected:
  void run(Words words, const std::string& name) {
    words.insert(words.begin(), "run");
    const Outcome outcome = project_.danlu(words);
    ASSERT_EQ(outcome.code, 0) << outcome;
    EXPECT_EQ(project_.run(name).status(), "finished");
    const auto files = project_.files("runs/" + name);
    for (const char* file : {"recipe.yaml", "resolved.yaml", "data_report.json", "data_report.txt", "split.json",
                             "metrics.jsonl", "checkpoints/best.safetensors", "checkpoints/last.safetensors",
                             "report.json", "report.txt", "example_request.json", "bundle/model.safetensors",
                             "bundle/config.json", "bundle/preprocess.json", "bundle/metrics.json", "bundle/card.md"}) {
      EXPECT_TRUE(files.contains(file)) << file;
    }
    for (const auto& [file, bytes] : files) EXPECT_THAT(file, testing::Not(HasSubstr(".tmp-")));
  }

  double metric(const std::string& name, const char* metric) const {
    return read_json(project_.run(name).file("report.json"))["metrics"][metric]["value"];
  }

  // The server answers every row exactly as predict does, whether asked for all at once or for one.
  void expect_served_as_predicted(const std::string& name, const std::string& file, const std::string& target) {
    const Outcome predicted = project_.danlu({"predict", name, file});
    ASSERT_EQ(predicted.code, 0) << predicted;
    const Json expected = predictions_of(predicted.out);
    const Json rows = rows_of(project_ / file, target);
    ASSERT_EQ(expected.size(), rows.size());
    const ServedModels server(project_, {name}, {"--threads", "2"});  // predict has one
    const Answer all = post(server.port(), Json{{"rows", rows}}.dump());
    ASSERT_EQ(all.status, 200) << all.body;
    EXPECT_EQ(all.json()["predictions"], expected);
    for (size_t i = 0; i < rows.size(); i += 7) {
      const Answer one = post(server.port(), Json{{"row", rows[i]}}.dump());
      ASSERT_EQ(one.status, 200) << one.body;
      EXPECT_EQ(one.json()["predictions"][0], expected[i]) << "row " << i << " alone";
    }
    const Answer example = post(server.port(), read_file(project_.run(name).file("example_request.json")));
    EXPECT_EQ(example.status, 200) << example.body;
  }

  Project project_;
};

TEST_F(WholeLife, ATableOfTwoClasses) {
  project_.write("points.csv", points_csv(200));
  run({"--data", "points.csv", "--target", "kind", "train.epochs=8", "train.optimizer.lr=0.01"}, "points");
  EXPECT_GT(metric("points", "accuracy"), 0.9);
  expect_served_as_predicted("points", "points.csv", "kind");
}

TEST_F(WholeLife, ATableOfThreeClassesWithGaps) {
  project_.write("flowers.csv", flowers_csv(300));
  run({"--data", "flowers.csv", "--target", "species", "train.epochs=10", "train.optimizer.lr=0.01"}, "flowers");
  EXPECT_GT(metric("flowers", "accuracy"), 0.85);
  expect_served_as_predicted("flowers", "flowers.csv", "species");
}

TEST_F(WholeLife, ATableWithItsOwnWordForAGap) {
  std::string text = houses_csv(300);
  for (size_t at = 0; (at = text.find("\nNA,", at)) != std::string::npos;) text.replace(at + 1, 2, "-999");
  project_.write("houses.csv", text);
  run({"--data", "houses.csv", "--target", "price", "train.epochs=2", "data.csv.missing=[\"-999\"]"}, "houses");
  // The word is known from the bundle, not from the recipe, and to the server too.
  EXPECT_EQ(project_.danlu({"predict", "houses", "houses.csv"}).out, project_.danlu({"predict", "houses", "houses.csv", "--as-trained"}).out);
  expect_served_as_predicted("houses", "houses.csv", "price");
}

TEST_F(WholeLife, ATableWithANumberToPredict) {
  project_.write("houses.csv", houses_csv(300));
  run({"--data", "houses.csv", "--target", "price", "train.epochs=25", "train.optimizer.lr=0.01"}, "houses");
  EXPECT_GT(metric("houses", "r2"), 0.8);
  expect_served_as_predicted("houses", "houses.csv", "price");
}

TEST_F(WholeLife, AFolderOfImages) {
  write_squares(project_ / "squares", 60);
  run({"--data", "squares", "train.epochs=4", "model={type: cnn, layers: [{conv: 4}, relu, flatten]}"}, "squares");
  EXPECT_GT(metric("squares", "accuracy"), 0.9);
  const Outcome predicted = project_.danlu({"predict", "squares", "squares"});
  ASSERT_EQ(predicted.code, 0) << predicted;
  const Json expected = predictions_of(predicted.out);
  const auto images = project_.files("squares");  // in the order of predict: by path
  ASSERT_EQ(expected.size(), images.size());
  Json request = {{"images", Json::array()}};
  for (const auto& [name, bytes] : images) request["images"].push_back(base64_encode(bytes));
  const ServedModels server(project_, {"squares"});
  const Answer all = post(server.port(), request.dump());
  ASSERT_EQ(all.status, 200) << all.body;
  EXPECT_EQ(all.json()["predictions"], expected);
  size_t i = 0;
  for (const auto& [name, bytes] : images) {
    EXPECT_EQ(post(server.port(), bytes, "image/png").json()["predictions"][0], expected[i++]) << name << " alone";
  }
  EXPECT_EQ(post(server.port(), read_file(project_.run("squares").file("example_request.json"))).status, 200);
}

TEST_F(WholeLife, AnswersAsCsvAreThoseOfJson) {
  project_.write("points.csv", points_csv(60));
  run({"--data", "points.csv", "--target", "kind", "train.epochs=2"}, "points");
  ASSERT_EQ(project_.danlu({"predict", "points", "points.csv", "-o", "answers.csv"}).code, 0);
  ASSERT_EQ(project_.danlu({"predict", "runs/points/bundle", "points.csv", "-o", "answers.jsonl"}).code, 0);
  const data::Table table = data::read_table(project_ / "answers.csv");
  const Json lines = predictions_of(project_.read("answers.jsonl"));
  ASSERT_EQ(table.num_rows(), 60);
  ASSERT_EQ(lines.size(), 60u);
  for (int64_t row = 0; row < 60; ++row) {
    const Json& answer = lines[static_cast<size_t>(row)];
    EXPECT_EQ(table.cell(row, table.column_index("label")), answer["label"].get<std::string>());
    EXPECT_EQ(data::parse_number(table.cell(row, table.column_index("p_far"))), answer["probabilities"]["far"]);
  }
}

}  // namespace
}  // namespace danlu::test
