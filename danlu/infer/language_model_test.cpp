#include "danlu/infer/language_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/base/temporary_directory.h"
#include "danlu/formats/safetensors.h"
#include "danlu/infer/cached_forward.h"
#include "danlu/infer/testing.h"

namespace danlu::infer {
namespace {

using data::TokenId;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

models::GptOptions tiny(const std::string& family) {
  models::GptOptions o;
  o.family = family;
  o.layers = 1;
  o.heads = 2;
  o.width = 16;
  o.context = 24;
  return o;
}

template <class E>
std::string refusal(const fs::path& directory) {
  try {
    LanguageModel::load(directory);
  } catch (const E& error) {
    return error.message();
  }
  return "";
}

class LanguageModelTest : public testing::Test {
 protected:
  LanguageModelTest() { write_language_model(path(), *model_, {{"seed", 7}}); }
  const fs::path& path() const { return directory_.path(); }

  // Writes a file of settings with one key changed.
  void change(const char* file, const char* key, const Json& value) const {
    Json json = read_json(path() / file);
    json[key] = value;
    write_json(path() / file, json);
  }
  std::vector<TokenId> eos() const { return LanguageModel::load(path())->eos; }

  const std::shared_ptr<LanguageModel> model_ = random_language_model(tiny("llama"));
  const TemporaryDirectory directory_;
};

TEST_F(LanguageModelTest, ComesBackAsWritten) {
  for (const char* family : {"gpt2", "llama", "qwen2", "qwen3"}) {
    const auto model = random_language_model(tiny(family));
    const TemporaryDirectory directory;
    write_language_model(directory.path(), *model, {{"seed", 7}});
    const auto again = LanguageModel::load(directory.path());
    EXPECT_EQ(again->name, "random");
    EXPECT_THAT(again->eos, ElementsAre(kEndOfText));
    EXPECT_FALSE(again->network->is_training());
    EXPECT_EQ(again->config["danlu"]["training"], (Json{{"seed", 7}}));
    EXPECT_EQ(again->tokenizer.encode("the furnace 春"), model->tokenizer.encode("the furnace 春"));
    const auto before = model->network->named_parameters(), after = again->network->named_parameters();
    ASSERT_EQ(before.size(), after.size());
    for (size_t i = 0; i < before.size(); ++i) EXPECT_EQ(before[i].tensor.to_vector(), after[i].tensor.to_vector()) << before[i].name;
  }
}

TEST_F(LanguageModelTest, HasTheFilesOfAHuggingFaceFolder) {
  const Json config = read_json(path() / "config.json");
  EXPECT_EQ(config["architectures"], (Json{"LlamaForCausalLM"}));
  EXPECT_EQ(config["vocab_size"], kByteVocabulary);
  EXPECT_EQ(config["eos_token_id"], kEndOfText);
  EXPECT_TRUE(config["bos_token_id"].is_null());
  EXPECT_EQ(read_json(path() / "generation_config.json")["eos_token_id"], kEndOfText);
  for (const char* file : {"model.safetensors", "tokenizer.json", "tokenizer_config.json"}) EXPECT_TRUE(fs::exists(path() / file)) << file;
}

TEST_F(LanguageModelTest, IsFoundAndNamed) {
  const TemporaryDirectory run;
  make_directories(run / "poet");
  fs::copy(path(), run / "poet/bundle", fs::copy_options::recursive);
  EXPECT_TRUE(is_language_model(run / "poet"));
  EXPECT_EQ(LanguageModel::load(run / "poet")->name, "random");
  Json config = read_json(run / "poet/bundle/config.json");
  config.erase("danlu");  // as others write it: the run, or the folder, is the name
  write_json(run / "poet/bundle/config.json", config);
  EXPECT_EQ(LanguageModel::load(run / "poet")->name, "poet");
  fs::rename(run / "poet/bundle", run / "Qwen3-0.6B");
  EXPECT_EQ(LanguageModel::load(run / "Qwen3-0.6B/")->name, "Qwen3-0.6B");
}

TEST_F(LanguageModelTest, IsToldFromAPredictor) {
  EXPECT_TRUE(is_language_model(path()));
  change("config.json", "model_type", "mixtral");  // loading says that it is not supported
  EXPECT_TRUE(is_language_model(path()));
  write_json(path() / "config.json", {{"format", "danlu-bundle"}, {"model", {{"type", "mlp"}}}});
  EXPECT_FALSE(is_language_model(path()));
  fs::remove(path() / "config.json");
  EXPECT_FALSE(is_language_model(path()));
}

TEST_F(LanguageModelTest, EndTokensAreAllThatTheFilesName) {
  change("generation_config.json", "eos_token_id", {65, kEndOfText, 65});
  EXPECT_THAT(eos(), ElementsAre(65, kEndOfText));
  change("generation_config.json", "eos_token_id", 66);
  EXPECT_THAT(eos(), ElementsAre(66, kEndOfText));  // and the tokeniser's
  change("generation_config.json", "eos_token_id", {50256, -1});  // not in the vocabulary
  EXPECT_THAT(eos(), ElementsAre(kEndOfText));
  fs::remove(path() / "generation_config.json");
  change("config.json", "eos_token_id", 67);
  EXPECT_THAT(eos(), ElementsAre(67, kEndOfText));
}

TEST_F(LanguageModelTest, SeveralEndTokensAreKept) {
  model_->eos = {65, kEndOfText};
  write_language_model(path(), *model_);
  EXPECT_EQ(read_json(path() / "generation_config.json")["eos_token_id"], (Json{65, kEndOfText}));
  EXPECT_THAT(eos(), ElementsAre(65, kEndOfText));
}

TEST_F(LanguageModelTest, EndTokensThatAreNoneAreRefused) {
  change("generation_config.json", "eos_token_id", "</s>");
  EXPECT_THAT(refusal<DataError>(path()), HasSubstr("generation_config.json: eos_token_id: got \"</s>\"; expected an id or a list of ids"));
  write_json(path() / "generation_config.json", Json::array());
  EXPECT_THAT(refusal<DataError>(path()), HasSubstr("generation_config.json: expected an object"));
}

TEST_F(LanguageModelTest, TheTemplateMayBeAFileOfItsOwn) {
  EXPECT_EQ(LanguageModel::load(path())->tokenizer.chat_template(), "");
  write_file_atomic(path() / "chat_template.jinja", "{{ messages }}");
  const auto model = LanguageModel::load(path());
  EXPECT_EQ(model->tokenizer.chat_template(), "{{ messages }}");
  const TemporaryDirectory copy;
  write_language_model(copy.path(), *model);
  EXPECT_EQ(LanguageModel::load(copy.path())->tokenizer.chat_template(), "{{ messages }}");
}

TEST_F(LanguageModelTest, WhatIsMissingIsNamed) {
  EXPECT_THAT(refusal<FileError>(path() / "nowhere"), AllOf(HasSubstr("nowhere"), HasSubstr("no config.json there")));
  for (const char* file : {"tokenizer.json", "model.safetensors"}) {
    fs::rename(path() / file, path() / "aside");
    EXPECT_THAT(refusal<FileError>(path()), HasSubstr(file));
    fs::rename(path() / "aside", path() / file);
  }
}

TEST_F(LanguageModelTest, WhatDoesNotFitIsNamed) {
  change("config.json", "vocab_size", 100);
  EXPECT_THAT(refusal<DataError>(path()), HasSubstr("config.json: vocab_size: got 100; the tokeniser beside it has 260 tokens"));
  change("config.json", "vocab_size", 300);
  EXPECT_THAT(refusal<DataError>(path()), HasSubstr("model.embed_tokens.weight\": got F32 (260, 16); expected (300, 16)"));
  change("config.json", "hidden_act", "relu");
  EXPECT_THAT(refusal<DataError>(path()), HasSubstr("hidden_act: got \"relu\""));
}

TEST_F(LanguageModelTest, DamagedWeightsAreRefused) {
  std::string bytes = read_file(path() / "model.safetensors");
  bytes.back() ^= 1;
  write_file_atomic(path() / "model.safetensors", bytes);
  EXPECT_THAT(refusal<DataError>(path()), HasSubstr("do not fit the checksum"));
}

// A tokeniser that its own files cannot say: the check after writing sees it, and what was written is no bundle.
TEST_F(LanguageModelTest, WhatDoesNotComeBackIsNotWritten) {
  data::TokenizerModel twice = byte_tokenizer();
  twice.vocab.back() = "th";  // the same bytes under two ids
  const data::Tokenizer tokenizer(std::move(twice));
  try {
    write_language_model(path(), *model_->network, tokenizer, "twice");
    FAIL() << "expected an Error";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("token"));
  }
  EXPECT_FALSE(fs::exists(path() / "config.json"));
}

TEST_F(LanguageModelTest, ATokeniserLargerThanTheEmbeddingIsNotWritten) {
  const auto small = random_gpt([] {
    models::GptOptions o = tiny("gpt2");
    o.vocab_size = 100;
    return o;
  }());
  EXPECT_THROW(write_language_model(path(), *small, model_->tokenizer, "small"), ConfigError);
  EXPECT_TRUE(fs::exists(path() / "config.json")) << "what was there is untouched";
}

// Random codes in the place of every weight of a linear layer: 8 bits for the embedding, 4 for the others.
std::shared_ptr<LanguageModel> quantized_language_model(const std::string& family, bool tied) {
  models::GptOptions options = tiny(family);
  options.tied = tied;
  options.vocab_size = kByteVocabulary;
  return std::make_shared<LanguageModel>(LanguageModel{"small", quantized_gpt(options), data::Tokenizer(byte_tokenizer()), {kEndOfText}, Json::object()});
}

TEST(QuantizedLanguageModel, ComesBackAsWritten) {
  for (const char* family : {"gpt2", "llama", "qwen2", "qwen3"}) {
    for (const bool tied : {true, false}) {
      const auto model = quantized_language_model(family, tied);
      const TemporaryDirectory directory;
      write_language_model(directory.path(), *model, {});  // compares every weight and the logits of a sample
      const auto again = LanguageModel::load(directory.path());
      EXPECT_EQ(again->network->quantized_weights().size(), tied ? 5u : 6u) << family;
      EXPECT_FALSE(again->network->is_training());
      EXPECT_EQ(again->config["quantization_config"]["quant_method"], "danlu");
    }
  }
}

// The allocator's blocks are up to a quarter larger than what lies in them.
TEST(QuantizedLanguageModel, LearnedPositionsOfAnySizeAreRead) {
  const auto positions = [](int64_t context) {
    models::GptOptions options = tiny("gpt2");
    options.layers = 1;
    options.width = 800;
    options.heads = 8;
    options.context = context;
    options.vocab_size = kByteVocabulary;
    return options;
  };
  const auto network = [&](const models::GptOptions& options) {
    const models::Gpt::FindQuantized find = [](const std::string&, int64_t rows, int64_t columns) {
      return QuantizedWeight(WeightFormat::q4, rows, columns, Tensor::zeros(QuantizedWeight::packed_shape(WeightFormat::q4, rows, columns), Dtype::u8));
    };
    return std::make_unique<models::Gpt>(options, find);
  };
  const TemporaryDirectory directory;
  LanguageModel model{"long", network(positions(4096)), data::Tokenizer(byte_tokenizer()), {kEndOfText}, Json::object()};
  EXPECT_NO_THROW(write_language_model(directory.path(), model, {}));
}

TEST(QuantizedLanguageModel, APassWithTheCacheIsThatWithout) {
  const auto model = quantized_language_model("qwen3", true);
  const NoGrad no_grad;
  const std::vector<data::TokenId> ids = {84, 104, 101, 32, 102, 117, 114, 110, 97, 99, 101};
  Tensor input = Tensor::zeros({1, 11}, Dtype::i64);
  std::copy(ids.begin(), ids.end(), input.mutable_data<int64_t>());
  const Tensor whole = model->network->hidden(input);
  KvCache cache(model->network->options(), 1, kernels::CacheFormat::f32);
  const int64_t slot = cache.claim(ids, 0)->slot;
  int64_t row = 0;
  for (const size_t count : {6u, 1u, 1u, 3u}) {
    const Piece piece{slot, {ids.begin() + row, ids.begin() + row + static_cast<int64_t>(count)}};
    const Tensor part = cached_forward(*model->network, cache, std::span(&piece, 1));
    for (int64_t i = 0; i < part.numel(); ++i) ASSERT_NEAR(part.data()[i], whole.data()[row * 16 + i], 2e-3);
    row += static_cast<int64_t>(count);
  }
}

TEST(QuantizedLanguageModel, WhatDoesNotFitIsRefused) {
  const TemporaryDirectory directory;
  const fs::path config_path = directory.path() / "config.json", weights = directory.path() / "model.safetensors";
  write_language_model(directory.path(), *quantized_language_model("llama", true), {});
  const Json config = read_json(config_path);
  const auto with = [&](const char* pointer, const Json& value) {
    Json changed = config;
    changed[Json::json_pointer(pointer)] = value;
    write_json(config_path, changed);
    return refusal<DataError>(directory.path());
  };
  EXPECT_THAT(with("/quantization_config/version", 2), HasSubstr("config.json: quantization_config.version: got 2; expected 1"));
  EXPECT_THAT(with("/quantization_config/quant_method", "gptq"), HasSubstr("quantization_config: got"));
  EXPECT_THAT(with("/hidden_size", 4096), HasSubstr("tensor \"token_embedding.q8\": got U8"));
  EXPECT_THAT(with("/num_hidden_layers", 2), HasSubstr("missing tensor \"blocks.1.attention_norm.weight\""));
  EXPECT_THAT(with("/intermediate_size", 200), HasSubstr("blocks.0.up.weight.q4"));
  EXPECT_THAT(with("/num_hidden_layers", 900000), testing::Not(testing::IsEmpty()));
  EXPECT_THAT(with("/model_type", "gpt2"), testing::Not(testing::IsEmpty()));
  write_json(config_path, config);
  formats::SafetensorsFile file(weights);
  std::vector<formats::NamedTensor> tensors;
  for (const std::string& name : file.names()) tensors.push_back({name, file.read(name)});
  tensors.push_back({"blocks.0.gate.q4", Tensor::zeros({1}, Dtype::u8)});
  formats::write_safetensors(weights, tensors);
  EXPECT_THAT(refusal<DataError>(directory.path()), HasSubstr("unexpected tensor \"blocks.0.gate.q4\""));
  tensors.pop_back();
  tensors.erase(std::find_if(tensors.begin(), tensors.end(), [](const auto& t) { return t.name == "final_norm.weight"; }));
  formats::write_safetensors(weights, tensors);
  EXPECT_THAT(refusal<DataError>(directory.path()), HasSubstr("missing tensor \"final_norm.weight\""));
}

}  // namespace
}  // namespace danlu::infer
