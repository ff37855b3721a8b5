#include "danlu/data/text/tokenizer_config.h"

#include <gtest/gtest.h>

#include "danlu/base/json.h"
#include "danlu/data/image/testing.h"

namespace danlu::data {
namespace {

TokenizerModel model() {
  TokenizerModel model;
  model.vocab = {"a", "b", "<s>", "<pad>"};
  model.added = {{2, "<s>", true}};
  return model;
}

TokenizerModel read(const std::string& config, const std::string& map = "{}") {
  const TemporaryDirectory directory;
  write_file_atomic(directory / "tokenizer_config.json", config);
  write_file_atomic(directory / "special_tokens_map.json", map);
  TokenizerModel read = model();
  read_tokenizer_config(directory.path(), read);
  return read;
}

TEST(TokenizerConfig, NamesTheParts) {
  const TokenizerModel got = read(R"({"bos_token": "<s>", "eos_token": {"__type": "AddedToken", "content": "<s>"},
      "unk_token": null, "pad_token": "<pad>", "add_bos_token": true, "chat_template": "{{ messages }}"})");
  EXPECT_EQ(got.bos, 2);
  EXPECT_EQ(got.eos, 2);
  EXPECT_EQ(got.pad, 3);
  EXPECT_EQ(got.unk, std::nullopt);
  EXPECT_TRUE(got.add_bos);
  EXPECT_EQ(got.chat_template, "{{ messages }}");
  ASSERT_EQ(got.added.size(), 2) << "what has a part is a special token";
  EXPECT_EQ(got.added[1].content, "<pad>");
}

TEST(TokenizerConfig, TheMapCountsWhereTheConfigIsSilent) {
  const TokenizerModel got = read("{}", R"({"eos_token": "<s>"})");
  EXPECT_EQ(got.eos, 2);
  EXPECT_EQ(got.bos, std::nullopt);
}

TEST(TokenizerConfig, TokensThatTokenizerJsonLacks) {
  const TokenizerModel got = read(R"({"added_tokens_decoder": {"2": {"content": "<s>", "special": true},
      "5": {"content": "<tool>", "special": false}}, "eos_token": "<tool>"})");
  ASSERT_EQ(got.added.size(), 2);
  EXPECT_EQ(got.added[1].id, 5);
  EXPECT_FALSE(got.added[1].special);
  EXPECT_EQ(got.eos, 5);
}

TEST(TokenizerConfig, OneOfSeveralTemplates) {
  const TokenizerModel got = read(R"({"chat_template": [{"name": "tool_use", "template": "x"},
                                                        {"name": "default", "template": "y"}]})");
  EXPECT_EQ(got.chat_template, "y");
}

TEST(TokenizerConfig, ATemplateInAFileOfItsOwn) {
  const TemporaryDirectory directory;
  write_file_atomic(directory / "chat_template.jinja", "{{ bos_token }}");
  TokenizerModel got = model();
  read_tokenizer_config(directory.path(), got);
  EXPECT_EQ(got.chat_template, "{{ bos_token }}");
}

TEST(TokenizerConfig, WrittenAndReadIsTheSame) {
  const TemporaryDirectory directory;
  TokenizerModel written = model();
  written.bos = 2;
  written.pad = 3;
  written.chat_template = "春 {{ x }}";
  write_tokenizer_config(written, directory.path());
  TokenizerModel got = model();
  read_tokenizer_config(directory.path(), got);
  EXPECT_EQ(got.bos, 2);
  EXPECT_EQ(got.pad, 3);
  EXPECT_EQ(got.eos, std::nullopt);
  EXPECT_EQ(got.chat_template, written.chat_template);
}

TEST(TokenizerConfig, WhatMakesNoSenseIsNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"[]", "tokenizer_config.json: got array; expected an object"},
      {R"({"eos_token": 3})", "eos_token: got number; expected a token"},
      {R"({"eos_token": "</s>"})", "eos_token: got \"</s>\"; expected a token of the vocabulary"},
      {R"({"eos_token": ""})", "eos_token: got \"\""},
      {R"({"added_tokens_decoder": []})", "added_tokens_decoder: got array"},
      {R"({"added_tokens_decoder": {"x": {"content": "<a>"}}})", "added_tokens_decoder[\"x\"]: expected an id as key"},
      {R"({"added_tokens_decoder": {"7": "<a>"}})", "added_tokens_decoder[\"7\"]: got string; expected a token"},
      {R"({"added_tokens_decoder": {"-7": {"content": "<a>"}}})", "got added token -7 \"<a>\""},
      {R"({"added_tokens_decoder": {"70000000": {"content": "<a>"}}})", "got added token 70000000 \"<a>\""},
      {R"({"added_tokens_decoder": {"0": {"content": "<a>"}}})", "the id of another token"},
      {R"({"added_tokens_decoder": {"9": {"content": "<s>"}}})", "expected what tokenizer.json says: 2 \"<s>\""},
      {R"({"chat_template": [{"name": "default", "template": 5}]})", "chat_template: got number"},
  };
  for (const auto& [config, words] : cases) EXPECT_TRUE(contains(error_of([&] { read(config); }), words));
}

}  // namespace
}  // namespace danlu::data
