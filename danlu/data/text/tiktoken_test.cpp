#include "danlu/data/text/tiktoken.h"

#include <gtest/gtest.h>

#include "danlu/base/base64.h"
#include "danlu/data/image/testing.h"

namespace danlu::data {
namespace {

TokenizerModel read(const std::string& text, const char* name = "cl100k_base.tiktoken") {
  const TemporaryDirectory directory;
  write_file_atomic(directory / name, text);
  return read_tiktoken(directory / name);
}

std::string ranks(const std::vector<std::string>& tokens) {
  std::string text;
  for (size_t i = 0; i < tokens.size(); ++i) text += base64_encode(tokens[i]) + " " + std::to_string(i) + "\n";
  return text;
}

TEST(Tiktoken, MergesFollowFromRanks) {
  const TokenizerModel model = read(ranks({"a", "b", "c", "ab", "bc", "abc"}));
  EXPECT_EQ(model.vocab, (std::vector<std::string>{"a", "b", "c", "ab", "bc", "abc"}));
  std::vector<std::vector<TokenId>> merges;
  for (const auto& [left, right, result] : model.merges) merges.push_back({left, right, result});
  EXPECT_EQ(merges, (std::vector<std::vector<TokenId>>{{0, 1, 3}, {1, 2, 4}, {0, 4, 5}, {3, 2, 5}}));
  EXPECT_TRUE(model.ignore_merges);
  EXPECT_EQ(model.pre_tokenizer.at(0).pattern, split_pattern("cl100k"));
  EXPECT_EQ(model.eos, 100257);
}

TEST(Tiktoken, TheNameTellsThePattern) {
  EXPECT_EQ(read("YQ== 0\n", "r50k_base.tiktoken").pre_tokenizer.at(0).pattern, split_pattern("gpt2"));
  EXPECT_EQ(read("YQ== 0\n", "qwen.tiktoken").pre_tokenizer.at(0).pattern, split_pattern("qwen"));
  EXPECT_TRUE(contains(read("YQ== 0\n", "o200k_base.tiktoken").pre_tokenizer.at(0).pattern, "\\p{Lt}"));
  EXPECT_TRUE(contains(error_of([] { read("YQ== 0\n", "ours.tiktoken"); }), "got ranks named \"ours\""));
}

TEST(Tiktoken, WhatMakesNoSenseIsNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"YQ== 0\nYg==\n", "cl100k_base.tiktoken:2: got \"Yg==\"; expected the bytes of a token in base64"},
      {"YQ== x\n", ":1: got \"YQ== x\""},
      {"Y!Q= 0\n", ":1: got \"Y!Q= 0\""},
      {" 0\n", ":1: got \" 0\""},
      {" ", ":1: got \" \""},
      {"YQ== -1\n", ":1: got \"YQ== -1\""},
      {"YQ== 99999999999999999999\n", ":1: got"},
      {"YQ== 4000000000\n", ":1: got rank 4000000000; expected less than"},
      {"YQ== 0\nYg== 0\n", ":2: got rank 0 again; expected each once"},
      {"YQ== 0\nYQ== 1\n", "got the token of rank 1 a second time"},
      {"", "got no ranks"},
  };
  for (const auto& [text, words] : cases) EXPECT_TRUE(contains(error_of([&] { read(text); }), words));
}

}  // namespace
}  // namespace danlu::data
