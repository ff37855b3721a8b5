// Folders that transformers saved (tools/make_huggingface_goldens.py), and its logits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "danlu/base/error.h"
#include "danlu/base/json.h"
#include "danlu/base/temporary_directory.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/formats/safetensors_folder.h"
#include "danlu/learn/models/gpt_huggingface.h"

namespace danlu {
namespace {

using testing::HasSubstr;

class HuggingFace : public testing::TestWithParam<const char*> {
 protected:
  std::unique_ptr<models::Gpt> read() const {
    auto network = models::read_huggingface_weights(formats::SafetensorsFolder(folder_), options_);
    network->eval();
    return network;
  }

  const fs::path folder_ = fs::path(DANLU_SOURCE_DIR) / "tests/golden/huggingface" / GetParam();
  const models::GptOptions options_ = models::gpt_from_huggingface(read_json(folder_ / "config.json"), "config.json");
};

TEST_P(HuggingFace, GivesTheLogitsOfTransformers) {
  const formats::SafetensorsFile expected(folder_ / "expected.safetensors");
  const NoGrad no_grad;
  const Tensor logits = (*read())(expected.read("ids")), wanted = expected.read("logits");
  ASSERT_EQ(logits.shape(), wanted.shape());
  for (int64_t i = 0; i < logits.numel(); ++i) ASSERT_NEAR(logits.data()[i], wanted.data()[i], 1e-4) << "element " << i;
}

TEST_P(HuggingFace, ComesBackAsWritten) {
  const auto network = read();
  const TemporaryDirectory directory;
  formats::write_safetensors(directory / "model.safetensors", models::huggingface_weights(*network));
  const Json config = models::gpt_to_huggingface(network->options());
  const auto again = models::read_huggingface_weights(formats::SafetensorsFolder(directory.path()), models::gpt_from_huggingface(config, "written"));
  EXPECT_EQ(write_options(again->options()), write_options(network->options()));
  const auto before = network->named_parameters(), after = again->named_parameters();
  ASSERT_EQ(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(before[i].name, after[i].name);
    EXPECT_EQ(before[i].tensor.to_vector(), after[i].tensor.to_vector()) << before[i].name;
  }
}

// What we write has the names and shapes of what transformers wrote.
TEST_P(HuggingFace, WritesTheSameTensors) {
  const formats::SafetensorsFolder theirs(folder_);
  std::map<std::string, std::string> expected, got;
  for (const std::string& name : theirs.names()) expected[name] = theirs.shape(name).str();
  for (const auto& [name, tensor] : models::huggingface_weights(*read())) got[name] = tensor.shape().str();
  EXPECT_EQ(got, expected);
}

INSTANTIATE_TEST_SUITE_P(Families, HuggingFace, testing::Values("gpt2", "llama", "llama3", "qwen2", "qwen3"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace danlu
