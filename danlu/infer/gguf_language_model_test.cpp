#include "danlu/infer/gguf_language_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/temporary_directory.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/formats/gguf.h"
#include "danlu/infer/testing.h"

namespace danlu::infer {
namespace {

using data::TokenId;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const formats::BlockType& type_named(std::string_view name) { return *formats::find_block_type(name); }

// Random weights over bytes, with a tokeniser that llama.cpp knows.
std::shared_ptr<LanguageModel> some_model(const std::string& family, int64_t width = 32) {
  const auto model = random_language_model({.family = family, .layers = 2, .heads = 4, .width = width, .context = 48, .vocab_size = 300});
  data::TokenizerModel tokenizer = byte_tokenizer();
  tokenizer.pre_tokenizer = {{.pattern = data::split_pattern(family == "gpt2" ? "gpt2" : "qwen")}};
  tokenizer.chat_template = "{% for m in messages %}{{ m['content'] }}{% endfor %}";
  model->tokenizer = data::Tokenizer(tokenizer);
  return model;
}

std::vector<float> logits(LanguageModel& model) {
  const std::vector<TokenId> ids = model.tokenizer.encode("the furnace 春 end");
  Tensor input = Tensor::empty({1, std::ssize(ids)}, Dtype::i64);
  std::copy(ids.begin(), ids.end(), input.mutable_data<int64_t>());
  const NoGrad no_grad;
  return (*model.network)(input).to_vector();
}

class GgufLanguageModel : public testing::Test {
 protected:
  fs::path path() const { return directory_ / "small.gguf"; }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const fs::path& file : list_files(directory_.path(), true)) names.push_back(file.filename().string());
    return names;
  }
  const TemporaryDirectory directory_;
};

TEST_F(GgufLanguageModel, SpeaksAsBefore) {
  for (const char* family : {"gpt2", "llama", "qwen2", "qwen3"}) {
    const auto model = some_model(family);
    const GgufExport written = write_gguf_language_model(path(), *model, type_named("F32"));
    EXPECT_EQ(written.largest_error, 0);
    EXPECT_THAT(written.notes, IsEmpty());
    EXPECT_EQ(written.bytes, static_cast<int64_t>(fs::file_size(path())));
    EXPECT_TRUE(is_language_model(path()));
    const auto again = LanguageModel::load(path());
    EXPECT_EQ(again->name, "small");
    EXPECT_FALSE(again->network->is_training());
    EXPECT_THAT(again->eos, ElementsAre(kEndOfText));
    EXPECT_EQ(again->tokenizer.chat_template(), model->tokenizer.chat_template());
    EXPECT_EQ(logits(*again), logits(*model)) << family;
  }
  EXPECT_THAT(files(), ElementsAre("small.gguf"));
}

TEST_F(GgufLanguageModel, BecomesABundle) {
  const auto model = some_model("llama");
  write_gguf_language_model(path(), *model, type_named("BF16"));
  const auto read = LanguageModel::load(path());
  write_language_model(directory_ / "bundle", *read);
  const auto bundle = LanguageModel::load(directory_ / "bundle");
  EXPECT_EQ(logits(*bundle), logits(*read));
  EXPECT_EQ(bundle->tokenizer.encode("the 春"), model->tokenizer.encode("the 春"));
}

// Quantised once, a model is what it is: written again with the same type nothing changes.
TEST_F(GgufLanguageModel, QuantisingTwiceIsQuantisingOnce) {
  const auto model = some_model("qwen3");
  const GgufExport first = write_gguf_language_model(path(), *model, type_named("Q8_0"));
  EXPECT_GT(first.largest_error, 0);
  const auto read = LanguageModel::load(path());
  EXPECT_FALSE(read->network->quantized_weights().empty());
  const GgufExport second = write_gguf_language_model(directory_ / "again.gguf", *read, type_named("Q8_0"));
  EXPECT_EQ(second.largest_error, 0);
  const auto again = LanguageModel::load(directory_ / "again.gguf");
  EXPECT_EQ(logits(*again), logits(*read));
}

// Rounded by us, by the file, and read again: codes and scales are those of the model, in every order of rows.
TEST_F(GgufLanguageModel, GroupsOfFewBitsAreKeptExactly) {
  for (const char* family : {"gpt2", "llama", "qwen2", "qwen3"}) {
    for (const char* type : {"Q8_0", "Q4_0"}) {
      SCOPED_TRACE(testing::Message() << family << " " << type);
      write_gguf_language_model(path(), *some_model(family), type_named(type));
      const auto read = LanguageModel::load(path());
      ASSERT_GE(read->network->quantized_weights().size(), 5u);
      write_gguf_language_model(directory_ / "f32.gguf", *read, type_named("F32"));
      const auto plain = LanguageModel::load(directory_ / "f32.gguf");
      EXPECT_TRUE(plain->network->quantized_weights().empty());
      // The activations are rounded in the one and not in the other.
      const auto few = logits(*read), all = logits(*plain);
      double error = 0, size = 0;
      for (size_t i = 0; i < few.size(); ++i) {
        error += std::pow(static_cast<double>(few[i]) - static_cast<double>(all[i]), 2);
        size += std::pow(static_cast<double>(all[i]), 2);
      }
      EXPECT_LT(std::sqrt(error / size), 0.05);
      write_language_model(directory_ / "bundle", *read);  // compares every code
      EXPECT_EQ(logits(*LanguageModel::load(directory_ / "bundle")), few);
    }
  }
}

TEST_F(GgufLanguageModel, SaysWhatIsOfAnotherType) {
  EXPECT_THAT(write_gguf_language_model(path(), *some_model("llama", 48), type_named("Q8_0")).notes, ElementsAre(HasSubstr("matrices are F16: their rows are no whole number of blocks of 32")));
  EXPECT_THAT(write_gguf_language_model(path(), *some_model("llama"), type_named("Q4_0")).notes, ElementsAre("the output layer is Q8_0"));
}

TEST_F(GgufLanguageModel, AFileThatIsThereStaysIfNoneCanBeWritten) {
  write_gguf_language_model(path(), *some_model("llama"), type_named("F32"));
  const std::string before = read_file(path());
  const auto model = some_model("llama");
  model->network->parameters()[0].mutable_data()[0] = 1e30f;
  EXPECT_THROW(write_gguf_language_model(path(), *model, type_named("F16")), DataError);
  model->tokenizer = data::Tokenizer(byte_tokenizer());
  EXPECT_THROW(write_gguf_language_model(path(), *model, type_named("F32")), ConfigError);
  EXPECT_EQ(read_file(path()), before);
  EXPECT_THAT(files(), ElementsAre("small.gguf"));
}

TEST_F(GgufLanguageModel, MoreTokensThanRowsAreRefused) {
  const auto model = some_model("llama");
  write_gguf_language_model(path(), *model, type_named("F32"));
  const formats::GgufFile file(path());
  formats::GgufMetadata metadata(file.metadata().begin(), file.metadata().end() - 1);
  std::vector<formats::GgufTensor> tensors;
  for (const std::string& name : file.names()) {
    Tensor tensor = Tensor::empty(file.shape(name));
    file.read(name, tensor.mutable_span());
    tensors.push_back({name, name == "token_embd.weight" ? tensor.rows(0, 200) : tensor, &type_named("F32")});
  }
  formats::write_gguf(directory_ / "few.gguf", metadata, tensors);
  try {
    LanguageModel::load(directory_ / "few.gguf");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.message(), HasSubstr("few.gguf: got 260 tokens and 200 rows of the embedding"));
  }
}

}  // namespace
}  // namespace danlu::infer
