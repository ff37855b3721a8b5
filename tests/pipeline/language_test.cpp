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

TEST_F(Language, InFewBits) {
  expect_ok(command("run", "story", {"model={type: gpt, layers: 1, heads: 2, width: 128, context: 48}"}));
  const auto before = project_.files("runs/story");
  for (const char* to : {"q8", "q4"}) {
    SCOPED_TRACE(to);
    const std::string name = std::string("story-") + to;
    const Outcome outcome = project_.danlu({"compress", "story", "--to", to, "--tolerance", "20"});
    ASSERT_EQ(outcome.code, 0) << outcome;
    EXPECT_THAT(outcome.out, HasSubstr("worth it"));
    const auto run = project_.run(name);
    EXPECT_EQ(run.status(), "finished");
    const Json found = read_json(run.bundle() / "compress.json");
    EXPECT_GT(found["bytes"]["before"].get<double>(), (to == std::string("q8") ? 2.5 : 3) * found["bytes"]["after"].get<double>());
    const Json& perplexity = found["metrics"]["perplexity"];
    EXPECT_NEAR(perplexity["after"].get<double>(), perplexity["before"].get<double>(), (to == std::string("q8") ? 0.02 : 0.2) * perplexity["before"].get<double>());
    EXPECT_NE(perplexity["after"], perplexity["before"]);
    EXPECT_NEAR(read_json(run.file("report.json"))["metrics"]["perplexity"]["value"].get<double>(), perplexity["after"].get<double>(), 1e-4);
    EXPECT_NEAR(read_json(project_.run("story").file("report.json"))["metrics"]["perplexity"]["value"].get<double>(), perplexity["before"].get<double>(), 1e-4);
    const Words ask = {"generate", name, "--prompt", "the cat", "--max-tokens", "20", "--temperature", "0"};
    const Outcome text = project_.danlu(ask);
    ASSERT_EQ(text.code, 0) << text;
    EXPECT_FALSE(text.out.empty());
    // The same codes as one file for others, which this program runs in the same way.
    const std::string file = name + ".gguf";
    expect_ok({"export", name, "--to", "gguf", "--type", to == std::string("q8") ? "q8_0" : "q4_0", "-o", file});
    EXPECT_EQ(project_.danlu({"generate", file, "--prompt", "the cat", "--max-tokens", "20", "--temperature", "0"}).out, text.out);
  }
  EXPECT_TRUE(project_.files("runs/story") == before) << "the run itself has changed";
}

TEST_F(Language, FewBitsThatCannotBe) {
  expect_ok(command("run", "story", {"train.epochs=1"}));
  const auto expect_words = [&](const Words& words, const std::string& expected) {
    const Outcome outcome = project_.danlu(words);
    EXPECT_NE(outcome.code, 0) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr(expected));
  };
  expect_words({"compress", "story", "--to", "int8"}, "--to: got int8; expected q8 or q4 for a language model");
  expect_words({"compress", "story", "--to", "q8", "--epochs", "1"}, "got --epochs, which is for what learns again; q8 rounds and does not train");
  expect_words({"compress", "story", "--to", "q3"}, "--to: got q3");
  expect_words({"compress", "story", "--to", "q8", "--calibration", "1"}, "q8: got 1 window of training text to calibrate by; expected at least 8");
  expect_ok({"compress", "story", "--to", "q8", "--tolerance", "100"});
  expect_words({"compress", "story-q8", "--to", "q4"}, "story-q8 is compressed already; compress the run that it was made of");
  const auto before = project_.files("runs/story-q8/bundle");
  expect_words({"train", "story-q8"}, "was made of story; train that one, and compress it again");
  EXPECT_TRUE(project_.files("runs/story-q8/bundle") == before) << "the bundle is another";
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
