// An encoder that learns from texts without labels, and a classifier that begins with it.
#include <gmock/gmock.h>

#include <map>
#include <set>

#include "danlu/base/json.h"
#include "danlu/base/rng.h"
#include "danlu/formats/safetensors.h"
#include "tests/misuse/refusal.h"
#include "tests/program.h"
#include "tests/same_weights.h"

namespace danlu::test {
namespace {

using testing::HasSubstr;

// Each thing goes with one colour and one taste, so that two of the words tell the third.
std::string things_csv(int64_t rows, const char* header = "id,text,kind\n") {
  const char* const things[] = {"lemon", "cherry", "coal", "snow"};
  const char* const colours[] = {"yellow", "red", "black", "white"};
  const char* const tastes[] = {"sour", "sweet", "bitter", "cold"};
  Rng rng(4);
  std::string csv = header;
  for (int64_t i = 0; i < rows; ++i) {
    const auto kind = static_cast<size_t>(rng.below(4));
    csv += fmt::format("{},\"a {} is {} and {}, said guest {}\",{}\n", i, things[kind], colours[kind], tastes[kind], i, kind < 2 ? "fruit" : "other");
  }
  return csv;
}

constexpr const char* kPretraining = R"(
data: {source: things.csv, text: {column: text, mask_rate: 0.3}, split: {test: 0.2}}
tokenizer: {vocab_size: 320}
model: {type: masked_encoder, layers: 1, heads: 2, width: 16, dropout: 0}
train: {epochs: 12, batch_size: 16, optimizer: {type: adamw, lr: 1e-2}}
)";

class Pretraining : public testing::Test {
 protected:
  Pretraining() {
    project_.write("things.csv", things_csv(400));
    project_.write("things.yaml", kPretraining);
  }
  Project project_;
};

TEST_F(Pretraining, TellsWhatIsHiddenAndIsBegunWith) {
  const Outcome run = project_.danlu({"run", "things.yaml"});
  ASSERT_EQ(run.code, 0) << run;
  EXPECT_THAT(run.err + run.out, HasSubstr("another model begins with it by transfer: {from: "));
  const Json report = read_json(project_.run("things").file("report.json"));
  EXPECT_GT(report["metrics"]["token_accuracy"]["value"].get<double>(), 0.5);
  EXPECT_LT(report["metrics"]["loss"]["value"].get<double>(), 2.0) << "5.8 without any idea";
  EXPECT_EQ(report["samples"], 80);
  EXPECT_THAT(project_.read("runs/things/report.html"), HasSubstr("A masked encoder of"));

  project_.write("kinds.yaml", "data: {source: things.csv, target: kind, text: {column: text}, split: {on_overlap: keep}}\ntransfer: {from: things}\n"
                               "model: {type: encoder, layers: 1, heads: 2, width: 16, dropout: 0}\ntrain: {epochs: 2, batch_size: 16, freeze: [tokens]}\n");
  const Outcome kinds = project_.danlu({"run", "kinds.yaml"});
  ASSERT_EQ(kinds.code, 0) << kinds;
  const Json transfer = project_.run("kinds").info()["transfer"];
  EXPECT_EQ(transfer["from"], "things");
  EXPECT_EQ(transfer["fresh"].size(), 2u) << "the head: " << transfer;
  const auto tokens = [&](const std::string& name) { return formats::SafetensorsFile(project_.run(name).bundle() / "model.safetensors").read("tokens.weight"); };
  const Tensor before = tokens("things"), after = tokens("kinds");
  ASSERT_EQ(before.shape(), after.shape());
  EXPECT_TRUE(std::equal(before.span().begin(), before.span().end(), after.span().begin())) << "frozen";
  const std::string resolved = project_.read("runs/kinds/resolved.yaml");
  EXPECT_THAT(resolved, HasSubstr("the weights of transfer.from were learnt with this tokeniser"));
  EXPECT_THAT(resolved, HasSubstr("transfer.from has positions for so many tokens"));
}

TEST_F(Pretraining, TheSameWeightsForOneAndTwoThreadsAndAfterAnInterruption) { expect_same_weights(project_, {"run", "things.yaml"}, "things"); }

TEST_F(Pretraining, TheSameTextIsInOnePartOnly) {
  std::string csv = "id,text\n";
  for (int i = 0; i < 300; ++i) csv += fmt::format("{},number {} is no other\n", i, i % 60);
  project_.write("things.csv", csv);
  ASSERT_EQ(project_.danlu({"prepare", "things.yaml"}).code, 0);
  const Json split = read_json(project_.run("things").file("split.json"));
  std::map<int64_t, std::set<std::string>> parts;
  for (const auto& [part, rows] : split.items()) {
    for (const Json& row : rows) parts[row.get<int64_t>() % 60].insert(part);
  }
  EXPECT_EQ(parts.size(), 60u);
  for (const auto& [text, names] : parts) EXPECT_EQ(names.size(), 1u) << "text " << text;
}

TEST_F(Pretraining, GoesOnFromAnother) {
  ASSERT_EQ(project_.danlu({"run", "things.yaml", "train.epochs=2"}).code, 0);
  const Outcome more = project_.danlu({"run", "things.yaml", "name=more", "transfer.from=things", "train.epochs=2"});
  ASSERT_EQ(more.code, 0) << more;
  EXPECT_THAT(more.out, HasSubstr("0 begin anew"));
}

TEST_F(Pretraining, RefusesWhatItDoesNotRead) {
  expect_refused(project_, {"run", "things.yaml", "data.target=kind"}, kUsage, {"data.target: got \"kind\"; expected none", "pre-training"});
  expect_refused(project_, {"run", "things.yaml", "decision.threshold=0.3"}, kUsage, {"decision.threshold", "pre-training"});
  expect_refused(project_, {"run", "things.yaml", "data.text.mask_rate=0"}, kUsage, {"data.text.mask_rate: got 0"});
  expect_refused(project_, {"run", "things.yaml", "data.split.test=0"}, kUsage, {"data.split.test"});
  expect_refused(project_, {"run", "things.yaml", "data.source=."}, kUsage, {"expected a table with a column of texts"});
  expect_refused(project_, {"run", "things.yaml", "data.text.column=txt"}, kFailed, {"did you mean \"text\"?"});
  expect_refused(project_, {"run", "things.yaml", "train.monitor=accuracy"}, kUsage, {"train.monitor: got accuracy; expected loss"});
  expect_refused(project_, {"run", "things.yaml", "model.vocab_size=1000"}, kUsage, {"model.vocab_size: got 1000; expected 0, or"});
  project_.write("empty.csv", "part,text\ntrain,a lemon\ntrain,a cherry\nvalidation,a coal\ntest,\ntest,\n");
  expect_refused(project_, {"run", "things.yaml", "data.source=empty.csv", "data.split.column=part", "tokenizer.type=character"}, kFailed, {"empty.csv", "no word in the 2 test texts of \"text\""});
  project_.write("plain.yaml", "data: {source: things.csv, target: kind, text: {column: text, mask_rate: 0.5}}\nmodel: lstm\n");
  expect_refused(project_, {"run", "plain.yaml"}, kUsage, {"data.text.mask_rate", "pre-training"});
}

TEST_F(Pretraining, AnswersNothingByItself) {
  ASSERT_EQ(project_.danlu({"run", "things.yaml", "train.epochs=1"}).code, 0);
  project_.write("new.csv", "text\na lemon is <|mask|>\n");
  expect_refused(project_, {"predict", "things", "new.csv"}, kFailed, {"answers nothing by itself", "transfer"});
  expect_refused(project_, {"serve", "things", "--port", "0"}, kFailed, {"answers nothing by itself"});
}

TEST_F(Pretraining, ATokeniserWithoutAMaskIsRefused) {
  project_.write("other.yaml", "data: {source: things.csv, target: kind, text: {column: text}, split: {on_overlap: keep}}\ntokenizer: {vocab_size: 300}\nmodel: lstm\ntrain: {epochs: 1}\n");
  ASSERT_EQ(project_.danlu({"run", "other.yaml"}).code, 0);
  expect_refused(project_, {"run", "things.yaml", "tokenizer.file=runs/other"}, kUsage, {"tokenizer.file", "without a token that hides others", "[MASK]"});
}

}  // namespace
}  // namespace danlu::test
