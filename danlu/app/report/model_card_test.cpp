#include "danlu/app/report/model_card.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "danlu/base/error.h"
#include "danlu/base/temporary_directory.h"

namespace danlu::app {
namespace {

using testing::HasSubstr;
using testing::Not;

class ModelCard : public testing::Test {
 protected:
  ModelCard() : run_(directory_.path() / "loans") {
    make_directories(run_.path());
    write("run.json", {{"name", "loans"}, {"status", "finished"}, {"samples", 120}, {"parameters", 33}, {"data_hash", "abc"}, {"danlu", "0.1.0"}});
    write_file_atomic(run_.file("resolved.yaml"), "name: loans\npurpose: to rank loans\ndata: {source: loans.csv, target: class, licence: CC BY 4.0}\nmodel: {type: mlp}\n");
    write("split.json", {{"train", {0, 1, 2}}, {"validation", Json::array()}, {"test", {3, 4}}});
  }
  void write(const char* name, const Json& json) const { write_json(run_.file(name), json); }
  std::string card() const {
    make_directories(run_.bundle());
    return read_file(write_model_card(run_));
  }
  TemporaryDirectory directory_;
  RunDirectory run_;
};

TEST_F(ModelCard, SaysWhatWasMeasured) {
  write("report.json", {{"task", "binary"},
                        {"samples", 40},
                        {"notice", "No advice."},
                        {"metrics", {{"auc", {{"value", 0.81}, {"low", 0.7}, {"high", 0.9}, {"better", "higher"}}}, {"f1", {{"value", nullptr}, {"better", "higher"}}}}},
                        {"classes", {{{"name", "good"}, {"precision", 0.9}, {"recall", 0.8}, {"samples", 30}}, {{"name", "b|d"}, {"precision", 0.5}, {"recall", 0.3}, {"samples", 10}}}},
                        {"confusion", {{24, 6}, {7, 3}}},
                        {"reliability", {{{"samples", 30}, {"confidence", 0.2}, {"frequency", 0.3}}, {{"samples", 10}, {"confidence", 0.8}, {"frequency", 0.5}}}},
                        {"examples", {{"wrong", {{{"actual", "good"}, {"predicted", "b|d"}, {"probability", 0.99}}}}}}});
  write("explanation.json", {{"input", "table"},
                             {"importance", {{"metric", "auc"}, {"samples", 40}, {"repeats", 5}, {"columns", {{{"column", "age"}, {"importance", 0.1}, {"spread", 0.02}}}}}}});
  const std::string text = card();
  for (const char* words : {"# loans", "**No advice.**", "for: to rank loans", "licence: CC BY 4.0", "hash: abc", "train 3, validation 0, test 2", "| ROC-AUC | 0.8100 | 0.7000 to 0.9000 |",
                            "undefined on these data", "Measured on 40 samples that training never saw", "off by 0.150 on average", "furthest off where it says 0.80 on average: 0.50 came true",
                            "of \"b\\|d\" it finds 30.0 % (10 samples)", "\"b\\|d\" taken for \"good\": 7 times", "surest mistake", "age", "+0.1000 +- 0.0200"}) {
    EXPECT_THAT(text, HasSubstr(words));
  }
  EXPECT_LT(text.find("taken for \"good\": 7"), text.find("taken for \"b\\|d\": 6")) << "the most frequent first";
}

TEST_F(ModelCard, LeavesOutWhatIsNotKnown) {
  write("report.json", {{"task", "regression"}, {"samples", 4}, {"metrics", {{"rmse", {{"value", 2.5}, {"better", "lower"}}}}}});
  write_file_atomic(run_.file("resolved.yaml"), "name: loans\ndata: {source: loans.csv, licence: \"\"}\nmodel: {type: mlp}\n");
  const std::string text = card();
  EXPECT_THAT(text, HasSubstr("licence: not known"));
  for (const char* words : {"Calibration", "Limits", "Why it answers", "for:", "null", "nan"}) EXPECT_THAT(text, Not(HasSubstr(words)));
}

TEST_F(ModelCard, NamesTheRunWhoseFilesAreDamaged) {
  write("report.json", {{"metrics", {{"auc", {{"value", 0.5}, {"better", "higher"}}}}}, {"classes", {{{"name", "a"}, {"recall", 1}}, {{"name", "b"}, {"recall", 1}}}}, {"confusion", {{1, "x"}, {2, 3}}}});
  try {
    card();
    FAIL() << "a card of damaged files";
  } catch (const DataError& error) {
    EXPECT_THAT(std::string(error.what()), HasSubstr("loans: a file of the run is not as danlu writes it"));
  }
}

}  // namespace
}  // namespace danlu::app
