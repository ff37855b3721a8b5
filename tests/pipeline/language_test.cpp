// A text to a language model that writes, scores and answers: the program from one end to the other.
#include <gmock/gmock.h>

#include <cmath>

#include "danlu/base/json.h"
#include "danlu/base/utf8.h"
#include "tests/program.h"
#include "tests/samples.h"

namespace danlu::test {
namespace {

using testing::HasSubstr;

class Language : public testing::Test {
 protected:
  Language() { project_.write("story.txt", sentences(150)); }

  Words command(const char* verb, const std::string& name, const Words& more = {}) {
    Words words = {verb, "--data", "story.txt", "--name", name, "data.text.documents=blank_line", "tokenizer.vocab_size=320",
                   "model={type: gpt, layers: 1, heads: 2, width: 32, context: 48}", "train.epochs=6", "train.optimizer.lr=0.01",
                   "data.split={validation: 0.1, test: 0.1}", "data.text.clean.duplicates=false"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  void expect_ok(const Words& words) {
    const Outcome outcome = project_.danlu(words);
    ASSERT_EQ(outcome.code, 0) << outcome;
  }

  Project project_;
};

TEST_F(Language, TheWholeLifeOfAText) {
  expect_ok(command("run", "story", {"train.epochs=9", "evaluate.sample={prompts: [\"the\"], tokens: 12, temperature: 0}"}));
  const auto run = project_.run("story");
  EXPECT_EQ(run.status(), "finished");
  for (const char* name : {"tokenizer/tokenizer.json", "tokens/train-00000.tokens", "tokens/test-00000.tokens", "metrics.jsonl", "samples.jsonl",
                           "report.txt", "bundle/config.json", "bundle/model.safetensors", "bundle/tokenizer.json", "bundle/card.md"}) {
    EXPECT_TRUE(fs::exists(run.file(name))) << name;
  }
  const Json report = read_json(run.file("report.json"));
  const double loss = report["metrics"]["loss"]["value"];
  EXPECT_LT(loss, 0.6 * std::log(320.0));  // the grammar has been learnt, in part
  EXPECT_NEAR(report["metrics"]["perplexity"]["value"].get<double>(), std::exp(loss), 1e-6);
  EXPECT_GT(report["metrics"]["token_accuracy"]["value"].get<double>(), 0.3);

  const Outcome text = project_.danlu({"generate", "story", "--prompt", "the cat", "--max-tokens", "20", "--temperature", "0"});
  ASSERT_EQ(text.code, 0) << text;
  EXPECT_FALSE(text.out.empty());
  EXPECT_TRUE(is_utf8(text.out));
  const Outcome again = project_.danlu({"generate", "story", "--prompt", "the cat", "--max-tokens", "20", "--temperature", "0"});
  EXPECT_EQ(again.out, text.out);
}

TEST_F(Language, StagesOneByOneAreTheRun) {
  expect_ok(command("run", "whole"));
  expect_ok(command("prepare", "steps"));
  EXPECT_EQ(project_.run("steps").status(), "prepared");
  expect_ok({"train", "steps"});
  expect_ok({"evaluate", "steps"});
  EXPECT_EQ(project_.run("steps").info()["training"]["weights_hash"], project_.run("whole").info()["training"]["weights_hash"]);
  EXPECT_EQ(read_json(project_.run("steps").file("report.json"))["metrics"], read_json(project_.run("whole").file("report.json"))["metrics"]);
}

TEST_F(Language, CharactersAndAnEndOfTextThatTests) {
  expect_ok(command("run", "letters", {"tokenizer.type=character", "data.text.split_by=position", "data.text.isolate_documents=false", "train.epochs=2"}));
  const Json info = project_.run("letters").info();
  EXPECT_GT(info["tokens"]["train"].get<int64_t>(), 6 * info["tokens"]["test"].get<int64_t>());
}

TEST_F(Language, MultipleChoice) {
  expect_ok(command("run", "story"));
  project_.write("animals.jsonl",
                 "{\"query\": \"the cat sees\", \"choices\": [\"a dog.\", \"qzx vvw\"], \"gold\": 0}\n"
                 "{\"query\": \"my sister\", \"choices\": [\"7 7 7 7\", \"likes\"], \"gold\": 1}\n");
  const Outcome outcome = project_.danlu({"evaluate", "story", "--tasks", "animals.jsonl"});
  ASSERT_EQ(outcome.code, 0) << outcome;
  EXPECT_THAT(outcome.out + outcome.err, HasSubstr("animals: 2 questions"));
  const Json report = read_json(project_.run("story").file("animals.tasks.json"));
  EXPECT_EQ(report["accuracy"]["value"], 1.0);
}

TEST_F(Language, WordsOfMisuse) {
  const auto expect_words = [&](const Words& words, const std::string& expected) {
    const Outcome outcome = project_.danlu(words);
    EXPECT_NE(outcome.code, 0) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr(expected));
  };
  expect_words(command("run", "a", {"model.heads=5"}), "expected a divisor");
  expect_words(command("run", "a", {"tokenizer.pattern=gpt3"}), "gpt2");
  expect_words(command("run", "a", {"data.source=nothing-*.txt"}), "nothing-*.txt");
  expect_words(command("run", "a", {"evaluate.kfold.folds=5"}), "kfold");
  expect_words(command("run", "a", {"train.monitor=accuracy"}), "expected loss");
  EXPECT_FALSE(fs::exists(project_.run("a").path()));
}

}  // namespace
}  // namespace danlu::test
