#include "danlu/infer/gguf_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/base/temporary_directory.h"
#include "danlu/data/text/byte_alphabet.h"
#include "danlu/data/text/tokenizer_model.h"

namespace danlu::infer {
namespace {

using data::Normalizer;
using data::PreTokenizerStep;
using data::TokenId;
using data::Tokenizer;
using data::TokenizerModel;
using formats::GgufArray;
using formats::GgufFile;
using formats::GgufMetadata;
using formats::GgufValue;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kText = "The  Cat's 12345 caf\xc3\xa9, cafe\xcc\x81; 春眠\n\n  x";

// The bytes, a few merges, an id without a token, special tokens.
TokenizerModel some_model(const std::string& pattern = "gpt2") {
  TokenizerModel model;
  model.pre_tokenizer = {{.pattern = data::split_pattern(pattern)}};
  for (const uint8_t byte : data::printable_order()) model.vocab.emplace_back(1, static_cast<char>(byte));
  for (const char* token : {"at", "12", " C", "he"}) model.vocab.push_back(token);
  const auto id = [&](std::string_view token) { return static_cast<TokenId>(std::find(model.vocab.begin(), model.vocab.end(), token) - model.vocab.begin()); };
  model.merges = {{id("a"), id("t"), 256}, {id("1"), id("2"), 257}, {id(" "), id("C"), 258}, {id("h"), id("e"), 259}};
  model.added = {{261, "<|endoftext|>", true}, {262, "<|im_end|>", true}, {263, "<think>", false}};
  model.eos = 261;
  return model;
}

class GgufTokenizerTest : public testing::Test {
 protected:
  GgufFile write(const GgufMetadata& metadata) const {
    formats::write_gguf(directory_ / "x.gguf", metadata, {});
    return GgufFile(directory_ / "x.gguf");
  }
  GgufTokenizer through_a_file(const Tokenizer& tokenizer, const std::vector<TokenId>& eos, int64_t rows) const {
    return read_gguf_tokenizer(write(write_gguf_tokenizer(tokenizer, eos, rows).metadata));
  }
  // What is read when one key has another value, or none.
  GgufTokenizer changed(const char* key, const std::optional<GgufValue>& value, const TokenizerModel& model = some_model()) const {
    GgufMetadata metadata = write_gguf_tokenizer(Tokenizer(model), {261, 262}, 300).metadata;
    std::erase_if(metadata, [&](const auto& pair) { return pair.first == key; });
    if (value) metadata.emplace_back(key, *value);
    return read_gguf_tokenizer(write(metadata));
  }
  std::string refusal(const char* key, const std::optional<GgufValue>& value) const {
    try {
      changed(key, value);
    } catch (const DataError& error) {
      EXPECT_THAT(error.message(), HasSubstr("x.gguf: "));
      return error.message();
    }
    return "";
  }
  static std::string refused_write(const TokenizerModel& model) {
    try {
      write_gguf_tokenizer(Tokenizer(model), {}, 300);
    } catch (const ConfigError& error) {
      return error.message();
    }
    return "";
  }

  const TemporaryDirectory directory_;
};

TEST_F(GgufTokenizerTest, ComesBackAsWritten) {
  for (const char* pattern : {"gpt2", "cl100k", "qwen"}) {
    for (const bool ignore_merges : {false, true}) {
      if (ignore_merges && pattern != std::string("cl100k")) continue;
      TokenizerModel model = some_model(pattern);
      model.ignore_merges = ignore_merges;
      model.bos = model.pad = 261;
      model.add_bos = true;
      model.chat_template = "{{ messages }}";
      const Tokenizer tokenizer(model);
      const GgufTokenizer again = through_a_file(tokenizer, {262, 261}, 300);
      EXPECT_EQ(again.tokenizer.vocab_size(), 264);
      EXPECT_EQ(again.tokenizer.model().vocab, tokenizer.model().vocab);
      EXPECT_EQ(again.tokenizer.encode(kText), tokenizer.encode(kText)) << pattern;
      EXPECT_EQ(again.tokenizer.special_tokens(), tokenizer.special_tokens());
      EXPECT_FALSE(again.tokenizer.is_special(263));
      EXPECT_EQ(again.tokenizer.chat_template(), "{{ messages }}");
      EXPECT_EQ(again.tokenizer.model().ignore_merges, ignore_merges);
      EXPECT_TRUE(again.tokenizer.model().add_bos);
      EXPECT_EQ(again.tokenizer.bos(), 261);
      EXPECT_EQ(again.tokenizer.pad(), 261);
      EXPECT_EQ(again.tokenizer.model().normalizer, Normalizer::none);
      EXPECT_THAT(again.eos, ElementsAre(262, 261));
    }
  }
}

TEST_F(GgufTokenizerTest, DigitsMayBeApart) {
  TokenizerModel model = some_model();
  model.pre_tokenizer.insert(model.pre_tokenizer.begin(), {.kind = PreTokenizerStep::Kind::digits, .pattern = {}, .individual_digits = true});
  const GgufFile file = write(write_gguf_tokenizer(Tokenizer(model), {}, 300).metadata);
  EXPECT_EQ(file.text("tokenizer.ggml.pre"), "smollm");
  EXPECT_EQ(read_gguf_tokenizer(file).tokenizer.encode(kText), Tokenizer(model).encode(kText));
}

TEST_F(GgufTokenizerTest, WhatLlamaCppReads) {
  const GgufFile file = write(write_gguf_tokenizer(Tokenizer(some_model()), {261, 262}, 266).metadata);
  EXPECT_EQ(file.text("tokenizer.ggml.model"), "gpt2");
  EXPECT_EQ(file.text("tokenizer.ggml.pre"), "gpt-2");
  const std::vector<std::string>& tokens = *file.texts("tokenizer.ggml.tokens");
  ASSERT_EQ(tokens.size(), 266u) << "as many as rows of the embedding";
  EXPECT_EQ(tokens[258], "ĠC");
  EXPECT_EQ(tokens[260], "[PAD260]");
  EXPECT_EQ(tokens[261], "<|endoftext|>");
  EXPECT_EQ(tokens[265], "[PAD265]");
  const std::vector<int64_t> types = *file.wholes("tokenizer.ggml.token_type");
  EXPECT_THAT(std::vector<int64_t>(types.begin() + 259, types.end()), ElementsAre(1, 5, 3, 3, 4, 5, 5));
  EXPECT_THAT(*file.texts("tokenizer.ggml.merges"), ElementsAre("a t", "1 2", "Ġ C", "h e"));
  EXPECT_EQ(file.whole("tokenizer.ggml.eos_token_id"), 261);
  EXPECT_EQ(file.whole("tokenizer.ggml.eot_token_id"), 262);
  EXPECT_EQ(file.whole("tokenizer.ggml.bos_token_id"), std::nullopt);
  EXPECT_EQ(file.flag("tokenizer.ggml.add_bos_token"), false);
}

TEST_F(GgufTokenizerTest, FilesOfOthersNameTheCutInOtherWords) {
  EXPECT_EQ(changed("tokenizer.ggml.pre", "llama3").tokenizer.model().ignore_merges, true);
  EXPECT_EQ(changed("tokenizer.ggml.pre", "dbrx").tokenizer.model().ignore_merges, false);
  EXPECT_EQ(changed("tokenizer.ggml.pre", "deepseek-r1-qwen").tokenizer.model().pre_tokenizer[0].pattern, data::split_pattern("qwen"));
}

// Qwen's own tokenisers normalise; their files do not say so.
TEST_F(GgufTokenizerTest, QwensTextsAreNormalised) {
  TokenizerModel model = some_model("qwen");
  EXPECT_EQ(changed("danlu.normalizer", {}, model).tokenizer.model().normalizer, Normalizer::nfc);
  EXPECT_EQ(changed("danlu.normalizer", {}).tokenizer.model().normalizer, Normalizer::none);
  EXPECT_THAT(write_gguf_tokenizer(Tokenizer(model), {261}, 300).notes, IsEmpty());
  model.normalizer = Normalizer::nfc;
  EXPECT_THAT(write_gguf_tokenizer(Tokenizer(model), {261}, 300).notes, ElementsAre(HasSubstr("NFC; llama.cpp does not")));
  EXPECT_EQ(through_a_file(Tokenizer(model), {}, 300).tokenizer.model().normalizer, Normalizer::nfc);
}

TEST_F(GgufTokenizerTest, TokensThatEndAnswersAreFoundInFilesOfOthers) {
  EXPECT_THAT(changed("danlu.eos_token_ids", {}).eos, ElementsAre(261, 262));
  TokenizerModel model = some_model();
  model.eos = 262;
  GgufMetadata metadata = write_gguf_tokenizer(Tokenizer(model), {262}, 300).metadata;
  std::erase_if(metadata, [](const auto& pair) { return pair.first == "danlu.eos_token_ids"; });
  EXPECT_THAT(read_gguf_tokenizer(write(metadata)).eos, ElementsAre(262, 261)) << "<|endoftext|> by its words";
}

TEST_F(GgufTokenizerTest, WhatAFileCannotSayIsRefused) {
  TokenizerModel characters;
  characters.byte_level = false;
  characters.vocab = {"a", "b", "春"};
  EXPECT_THAT(refused_write(characters), HasSubstr("got a tokeniser of characters; expected a byte-level one"));
  TokenizerModel model = some_model();
  model.add_prefix_space = true;
  EXPECT_THAT(refused_write(model), HasSubstr("that puts a space before a text"));
  model = some_model();
  model.normalizer = Normalizer::nfkc;
  EXPECT_THAT(refused_write(model), HasSubstr("into the form NFKC"));
  model = some_model();
  model.pre_tokenizer = {{.pattern = "[a-z]+"}};
  EXPECT_THAT(refused_write(model), HasSubstr("cuts texts by \"[a-z]+\"; expected one of the cuts that are built into llama.cpp and known here, gpt-2, llama-bpe, smaug-bpe, qwen2, smollm"));
  model.pre_tokenizer = {};
  EXPECT_THAT(refused_write(model), HasSubstr("cuts texts not at all"));
  model = some_model("qwen");
  model.ignore_merges = true;
  EXPECT_THAT(refused_write(model), HasSubstr("and does not merge pieces that are tokens"));
  model = some_model();
  model.added.push_back({264, "at", true});
  EXPECT_THAT(refused_write(model), HasSubstr("with two tokens that are spelled alike"));
}

TEST_F(GgufTokenizerTest, FilesAreNotTrusted) {
  const auto texts = [](std::vector<std::string> values) { return GgufArray(std::move(values)); };
  EXPECT_THAT(refusal("tokenizer.ggml.model", "llama"), HasSubstr(R"(tokenizer.ggml.model: got "llama"; expected "gpt2", byte-level pairs; nothing else is supported)"));
  EXPECT_THAT(refusal("tokenizer.ggml.model", {}), HasSubstr("tokenizer.ggml.model: got nothing"));
  EXPECT_THAT(refusal("tokenizer.ggml.pre", "tekken"), HasSubstr(R"(tokenizer.ggml.pre: got "tekken"; expected gpt-2, llama-bpe, smaug-bpe, qwen2, smollm)"));
  EXPECT_THAT(refusal("tokenizer.ggml.pre", {}), HasSubstr("tokenizer.ggml.pre: got nothing"));
  EXPECT_THAT(refusal("tokenizer.ggml.tokens", {}), HasSubstr("tokenizer.ggml.tokens: expected the tokens"));
  EXPECT_THAT(refusal("tokenizer.ggml.tokens", texts({"a"})), HasSubstr("got 300 types for 1 tokens"));
  EXPECT_THAT(refusal("tokenizer.ggml.tokens", texts(std::vector<std::string>(300, "a"))), HasSubstr("token \"a\" with id"));
  EXPECT_THAT(refusal("tokenizer.ggml.token_type", GgufArray(std::vector<int32_t>(300, 6))), HasSubstr("got 6 for token 0; expected 1 to 5"));
  EXPECT_THAT(refusal("tokenizer.ggml.merges", {}), HasSubstr("tokenizer.ggml.merges: expected the merges"));
  EXPECT_THAT(refusal("tokenizer.ggml.merges", texts({"ab"})), HasSubstr("got \"ab\" as merge 0; expected two tokens"));
  EXPECT_THAT(refusal("tokenizer.ggml.merges", texts({"a b c"})), HasSubstr("expected two tokens"));
  EXPECT_THAT(refusal("tokenizer.ggml.merges", texts({"a zz"})), HasSubstr("got merge 0 with \"zz\""));
  EXPECT_THAT(refusal("tokenizer.ggml.eos_token_id", uint32_t{300}), HasSubstr("tokenizer.ggml.eos_token_id: got 300; expected an id of the vocabulary"));
  EXPECT_THAT(refusal("tokenizer.ggml.bos_token_id", int32_t{-1}), HasSubstr("got -1"));
  EXPECT_THAT(refusal("danlu.normalizer", "lower"), HasSubstr("danlu.normalizer: got \"lower\"; expected none or nfc"));
}

}  // namespace
}  // namespace danlu::infer
