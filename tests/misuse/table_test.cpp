// Tables that are not what they should be.
#include "tests/misuse/refusal.h"
#include "tests/samples.h"

namespace danlu::test {
namespace {

using testing::HasSubstr;

class BadTable : public testing::Test {
 protected:
  // Ten good rows below the header, then `line`, then ten more: the bad one is line 12.
  void write_with(const std::string& line) {
    const std::string good = points_csv(20);
    size_t cut = 0;
    for (int i = 0; i < 11; ++i) cut = good.find('\n', cut) + 1;
    project_.write("points.csv", good.substr(0, cut) + line + "\n" + good.substr(cut));
  }
  void expect_no_run(const Words& words) {
    expect_refused(project_, {"run", "--data", "points.csv", "--target", "kind"}, kFailed, words);
    expect_refused(project_, {"prepare", "--data", "points.csv", "--target", "kind"}, kFailed, words);
    expect_refused(project_, {"check", "--data", "points.csv", "--target", "kind"}, kFailed, words);
  }
  // A model of good points, that refuses words it has not seen if `unknown` says so.
  void train(const std::string& unknown = "auto") {
    project_.write("points.csv", points_csv(60));
    const Outcome outcome = project_.danlu({"run", "--data", "points.csv", "--target", "kind", "train.epochs=2",
                                            "data.columns.colour.encode.unknown=" + unknown});
    ASSERT_EQ(outcome.code, 0) << outcome;
  }
  void expect_no_answers(const std::string& csv, const Words& words) {
    project_.write("new.csv", csv);
    expect_refused(project_, {"predict", "points", "new.csv"}, kFailed, words);
    expect_refused(project_, {"predict", "points", "new.csv", "-o", "answers.csv"}, kFailed, words);
  }

  Project project_;
};

TEST_F(BadTable, ARaggedRow) {
  write_with("1,2,red");
  expect_no_run({"points.csv:12:1: got 3 cells; expected 4, as in line 1"});
  write_with("1,2,red,far,9");
  expect_no_run({"points.csv:12:1: got 5 cells; expected 4, as in line 1"});
}

TEST_F(BadTable, AQuoteThatNeverEnds) {
  write_with("1,2,\"red,far");
  expect_no_run({"points.csv:12:5: "});
}

TEST_F(BadTable, TheTargetColumnIsNotThere) {
  project_.write("points.csv", points_csv(20));
  expect_refused(project_, {"run", "--data", "points.csv", "--target", "knd"}, kFailed,
                 {"points.csv: no column \"knd\"; did you mean \"kind\"?"});
}

TEST_F(BadTable, NoTargetIsNamed) {
  project_.write("points.csv", points_csv(20));
  expect_refused(project_, {"run", "--data", "points.csv"}, kUsage,
                 {"data.target is missing; expected the column of points.csv to predict"});
}

TEST_F(BadTable, NoCellOfTheTargetIsFilled) {
  project_.write("points.csv", "x,kind\n1,\n2,NA\n3,?\n");
  expect_no_run({"got no row with a value of \"kind\"; expected some to learn from"});
}

TEST_F(BadTable, OneClassOnly) {
  project_.write("points.csv", "x,kind\n1,far\n2,far\n3,far\n4,far\n");
  expect_no_run({"points.csv: target \"kind\": got one class (far); expected at least two distinct classes"});
}

TEST_F(BadTable, OneClassOfThoseThatAreDeclared) {
  project_.write("points.csv", "x,kind\n1,far\n2,far\n3,far\n4,far\n5,far\n6,far\n");
  expect_refused(project_, {"run", "--data", "points.csv", "--target", "kind", "data.classes=[far, near]"}, kFailed,
                 {"target \"kind\": got one class (far) in all 6 training rows; expected at least two of far, near"});
}

TEST_F(BadTable, AClassTooRareToBeLearnt) {
  std::string text = "x,kind\n0.5,near\n";
  for (int i = 2; i < 40; ++i) text += fmt::format("{},far\n", i * i % 37 + 0.25);
  project_.write("points.csv", text);
  expect_refused(project_, {"run", "--data", "points.csv", "--target", "kind", "evaluate.kfold.folds=3", "data.classes=[far, near]"}, kUsage,
                 {"a class has one sample alone, which no fold can both train and test on"});
}

TEST_F(BadTable, ATargetThatNeverChanges) {
  std::string text = "x,price\n";
  for (int i = 0; i < 40; ++i) text += fmt::format("{},3.5\n", i);
  project_.write("points.csv", text);
  expect_refused(project_, {"run", "--data", "points.csv", "--target", "price"}, kFailed,
                 {"points.csv: target \"price\": got 3.5 in all 40 training rows; expected numbers that differ"});
}

TEST_F(BadTable, AGroupColumnThatIsNotThere) {
  project_.write("points.csv", points_csv(40));
  expect_refused(project_, {"run", "--data", "points.csv", "--target", "kind", "evaluate.demographic=[color]"}, kFailed,
                 {"no column \"color\"", "did you mean \"colour\"?"});
}

TEST_F(BadTable, FewerRowsThanFolds) {
  project_.write("points.csv", "x,kind\n1,far\n2,near\n3,far\n4,near\n5,far\n6,near\n7,far\n8,near\n");
  expect_refused(project_, {"run", "--data", "points.csv", "--target", "kind", "evaluate.kfold.folds=10"}, kUsage,
                 {"got 8 different samples for 10 folds; expected at least one each"});
  expect_refused(project_, {"run", "--data", "points.csv", "--target", "kind", "decision={calibrate: auto, folds: 3}", "data.split.validation=0", "--deadline", "5s"}, kUsage,
                 {"--deadline leaves no time for decision.folds", "data.split.validation"});
  expect_refused(project_, {"run", "--data", "points.csv", "--target", "kind", "decision={calibrate: auto, folds: 10}"}, kUsage,
                 {"different samples for 10 folds; expected at least one each"});
}

TEST_F(BadTable, AnEmptyFile) {
  project_.write("points.csv", "");
  expect_no_run({"points.csv: got an empty file; expected at least one row"});
}

TEST_F(BadTable, AHeaderAndNothingBelow) {
  project_.write("points.csv", "x,y,colour,kind\n");
  expect_no_run({"points.csv: got a header and no rows; expected at least one row"});
}

// Nor is it told for a table because it is no directory.
TEST(BadSource, ADirectoryOfImagesThatIsNotThere) {
  const Project project;
  project.write("shoes.yaml", "data: {source: shoes, augment: {shift: 0.1}}\nmodel: resnet\n");
  expect_refused(project, {"run", "shoes.yaml"}, kFailed, {"data.source: there is no shoes"});
}

TEST_F(BadTable, AFileThatIsNotThere) { expect_no_run({"data.source: there is no points.csv"}); }

TEST_F(BadTable, TextInAnotherEncoding) {
  write_with("1,2,caf\xe9,far");
  expect_no_run({"points.csv:12:8: got byte 0xE9, which is not valid UTF-8; expected UTF-8 text", "iconv"});
}

TEST_F(BadTable, BytesThatAreNoText) {
  project_.write("points.csv", std::string("PK\x03\x04\0\0\0\0", 8) + std::string(200, '\xff'));
  expect_no_run({"points.csv:1:5: got a NUL byte; expected text"});
}

TEST_F(BadTable, NanAndInfinityAreNoNumbers) {
  for (const char* cell : {"nan", "inf", "-Infinity", "1e999"}) {
    write_with(fmt::format("{},2,red,far", cell));
    expect_no_run({fmt::format("points.csv:12 column \"x\": \"{}\" is not a finite number", cell), "on_bad_cell"});
  }
}

TEST_F(BadTable, NanAndInfinityAreMissingWhereTheRecipeSaysSo) {
  write_with("nan,2,red,far\n1,inf,red,near");
  const Outcome outcome = project_.danlu(
      {"run", "--data", "points.csv", "--target", "kind", "train.epochs=1", "data.all_columns.on_bad_cell=missing"});
  EXPECT_EQ(outcome.code, 0) << outcome;
}

TEST_F(BadTable, AnEarlierRunIsNotLost) {
  train();
  write_with("1,2,red");
  expect_no_run({"points.csv:12:1: got 3 cells"});  // and every file of the earlier run is as it was
  EXPECT_EQ(project_.run("points").status(), "finished");
}

TEST_F(BadTable, AnUnknownCategoryIsAnErrorWhereTheRecipeSaysSo) {
  train("error");
  expect_no_answers("x,y,colour\n1,2,red\n1,2,green\n",
                    {"new.csv:3 column \"colour\": \"green\" is not a category of the training rows",
                     "expected one of blue, red", "encode.unknown"});
}

TEST_F(BadTable, AnUnknownCategoryIsAnsweredByDefault) {
  train();
  project_.write("new.csv", "x,y,colour\n1,2,red\n1,2,green\n");
  const Outcome outcome = project_.danlu({"predict", "points", "new.csv"});
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_THAT(outcome.out, HasSubstr("{\"line\":3,\"label\":"));
}

TEST_F(BadTable, PredictionNeedsTheColumnsAndCellsOfTraining) {
  train();
  expect_no_answers("x,y\n1,2\n", {"new.csv: got no column \"colour\"; expected all 3 of the training data"});
  expect_no_answers("x,y,colour\n1,2,red\n1,many,red\n", {"new.csv:3 column \"y\": \"many\" is not a"});
  expect_no_answers("x,y,colour\n1,2,red\nnan,2,red\n", {"new.csv:3 column \"x\": \"nan\" is not a finite number"});
  expect_no_answers("x,y,colour\n1,2\n", {"new.csv:2:1: got 2 cells; expected 3"});
  expect_no_answers("", {"new.csv: got an empty file"});
  expect_refused(project_, {"predict", "points", "absent.csv"}, kFailed, {"absent.csv"});
}

}  // namespace
}  // namespace danlu::test
