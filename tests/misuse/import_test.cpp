// Folders that are no language model, or not one that danlu has, given to danlu import.
#include "danlu/infer/testing.h"
#include "tests/misuse/refusal.h"

namespace danlu::test {
namespace {

class Import : public testing::Test {
 protected:
  Import() { infer::write_language_model(folder_, *infer::random_language_model({.layers = 1, .heads = 2, .width = 16, .context = 32})); }

  void refused(int code, const Words& words) const { expect_refused(project_, {"import", "foreign"}, code, words); }
  void change(const char* key, const Json& value) const {
    Json config = read_json(folder_ / "config.json");
    config[key] = value;
    write_json(folder_ / "config.json", config);
  }

  const Project project_;
  const fs::path folder_ = project_ / "foreign";
};

TEST_F(Import, AnswersAfterwards) {
  const Outcome imported = project_.danlu({"import", "foreign", "--name", "mine"});
  EXPECT_EQ(imported.code, 0) << imported;
  EXPECT_EQ(read_json(project_ / "runs/mine/run.json")["status"], "finished");
  const Outcome answer = project_.danlu({"generate", "mine", "--prompt", "The furnace", "--max-tokens", "4"});
  EXPECT_EQ(answer.code, 0) << answer;
}

TEST_F(Import, AnAbsentFolder) { expect_refused(project_, {"import", "nowhere"}, kFailed, {"got nowhere", "no config.json there"}); }

TEST_F(Import, ANameThatIsNoWord) {
  for (const char* name : {"a/b", "..", "two words"}) expect_refused(project_, {"import", "foreign", "--name", name}, kUsage, {"--name: got"});
}

TEST_F(Import, AnotherKindOfNetwork) {
  change("model_type", "mixtral");
  refused(kFailed, {"config.json: model_type: got \"mixtral\"", "\"llama\""});
}

TEST_F(Import, QuantisedWeights) {
  change("quantization_config", {{"bits", 4}});
  refused(kFailed, {"quantization_config: got {\"bits\":4}", "not supported"});
}

TEST_F(Import, SizesThatAreNotThoseOfTheWeights) {
  change("hidden_size", 1000000);
  refused(kFailed, {"tensor \"model.embed_tokens.weight\"", "as config.json says"});
}

TEST_F(Import, NoTokeniser) {
  fs::remove(folder_ / "tokenizer.json");
  refused(kFailed, {"tokenizer.json"});
}

TEST_F(Import, WeightsCutShort) {
  fs::resize_file(folder_ / "model.safetensors", fs::file_size(folder_ / "model.safetensors") / 2);
  refused(kFailed, {"model.safetensors", "cut short"});
}

}  // namespace
}  // namespace danlu::test
