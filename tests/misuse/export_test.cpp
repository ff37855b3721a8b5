// Models that a GGUF file cannot hold, and files that are none, given to danlu export, import and generate.
#include "danlu/infer/gguf_language_model.h"
#include "danlu/infer/testing.h"
#include "tests/misuse/refusal.h"
#include "tests/samples.h"

namespace danlu::test {
namespace {

class Export : public testing::Test {
 protected:
  Export() { write("gpt2"); }
  void write(const std::string& pattern) const {
    const auto model = infer::random_language_model({.layers = 1, .heads = 2, .width = 32, .context = 32});
    data::TokenizerModel tokenizer = infer::byte_tokenizer();
    if (!pattern.empty()) tokenizer.pre_tokenizer = {{.pattern = data::split_pattern(pattern)}};
    model->tokenizer = data::Tokenizer(tokenizer);
    infer::write_language_model(project_ / "model", *model);
  }
  const Project project_;
};

TEST_F(Export, AndImportAgain) {
  const Outcome exported = project_.danlu({"export", "model", "--to", "gguf", "--type", "q8_0", "--log", "json"});
  EXPECT_EQ(exported.code, 0) << exported;
  const Json event = json_lines(exported.out).back();
  EXPECT_EQ(event["event"], "exported");
  EXPECT_EQ(event["file"], "random-q8_0.gguf");
  EXPECT_GT(event["largest_error"].get<double>(), 0);
  EXPECT_EQ(event["bytes"], fs::file_size(project_ / "random-q8_0.gguf"));

  const Outcome imported = project_.danlu({"import", "random-q8_0.gguf", "--name", "mine"});
  EXPECT_EQ(imported.code, 0) << imported;
  const Words generate = {"--prompt", "The furnace", "--max-tokens", "8", "--temperature", "0", "--json"};
  const auto text_of = [&](const std::string& model) {
    Words words = {"generate", model};
    words.insert(words.end(), generate.begin(), generate.end());
    const Outcome answer = project_.danlu(words);
    EXPECT_EQ(answer.code, 0) << answer;
    return json_lines(answer.out).back()["text"];
  };
  EXPECT_EQ(text_of("random-q8_0.gguf"), text_of("mine"));
}

TEST_F(Export, TypesAndFormatsThatThereAreNot) {
  expect_refused(project_, {"export", "model", "--type", "q4_k"}, kUsage, {"type: got \"q4_k\"", "q8_0"});
  expect_refused(project_, {"export", "model", "--to", "onnx"}, kUsage, {"to: got \"onnx\"", "gguf"});
}

TEST_F(Export, ATokeniserThatTheFormatCannotSay) {
  write("");
  expect_refused(project_, {"export", "model"}, kUsage, {"cuts texts not at all", "gpt-2, llama-bpe"});
}

TEST_F(Export, AModelThatSpeaksNot) {
  project_.write("points.csv", points_csv(60));
  ASSERT_EQ(project_.danlu({"run", "--data", "points.csv", "--target", "kind", "train.epochs=1"}).code, 0);
  expect_refused(project_, {"export", "points"}, kUsage, {"got points, which is no language model"});
}

TEST_F(Export, FilesThatAreNoGguf) {
  project_.write("x.gguf", "{}");
  for (const char* verb : {"import", "generate", "export"}) expect_refused(project_, {verb, "x.gguf"}, kFailed, {"x.gguf: does not begin with \"GGUF\""});
}

}  // namespace
}  // namespace danlu::test
