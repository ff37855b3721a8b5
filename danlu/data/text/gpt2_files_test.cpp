#include "danlu/data/text/gpt2_files.h"

#include <gtest/gtest.h>

#include "danlu/data/image/testing.h"

namespace danlu::data {
namespace {

constexpr const char* kVocab = R"({"t": 0, "h": 1, "th": 2, "\u0120": 3, "\u0120th": 4, "<|endoftext|>": 5})";

TokenizerModel read(const std::string& vocab, const std::string& merges) {
  const TemporaryDirectory directory;
  write_file_atomic(directory / "encoder.json", vocab);
  write_file_atomic(directory / "vocab.bpe", merges);
  return read_gpt2_files(directory.path());
}

TEST(Gpt2Files, AreRead) {
  const TokenizerModel model = read(kVocab, "#version: 0.2\nt h\n\u0120 th\n");
  EXPECT_EQ(model.vocab, (std::vector<std::string>{"t", "h", "th", " ", " th", "<|endoftext|>"}));
  ASSERT_EQ(model.merges.size(), 2);
  EXPECT_EQ(model.merges[1].result, 4);
  EXPECT_EQ(model.pre_tokenizer.at(0).pattern, split_pattern("gpt2"));
  EXPECT_EQ(model.eos, 5);
  ASSERT_EQ(model.added.size(), 1);
}

TEST(Gpt2Files, HaveNamesOfTheirOwnInTransformers) {
  const TemporaryDirectory directory;
  EXPECT_FALSE(has_gpt2_files(directory.path()));
  write_file_atomic(directory / "vocab.json", kVocab);
  write_file_atomic(directory / "merges.txt", "t h\r\n");
  EXPECT_TRUE(has_gpt2_files(directory.path()));
  EXPECT_EQ(read_gpt2_files(directory.path()).merges.size(), 1);
}

TEST(Gpt2Files, WhatMakesNoSenseIsNamed) {
  EXPECT_TRUE(
      contains(error_of([] { read(kVocab, "#version: 0.2\nt h\nth\n"); }), "vocab.bpe:3: got \"th\"; expected two"));
  EXPECT_TRUE(contains(error_of([] { read(kVocab, "t h t\n"); }), "vocab.bpe:1: got \"t h t\""));
  EXPECT_TRUE(contains(error_of([] { read(kVocab, "h t\n"); }), "got merge 0 with \"ht\""));
  EXPECT_TRUE(contains(error_of([] { read("{}", ""); }), "encoder.json: got no tokens"));
  EXPECT_TRUE(contains(error_of([] { read("[]", ""); }), "encoder.json: got no tokens"));
  EXPECT_TRUE(contains(error_of([] { read(R"({"a": 0, "b": 0})", ""); }), "encoder.json: got id 0 for token \"b\""));
  EXPECT_TRUE(contains(error_of([] { read(R"({"a": "0"})", ""); }), "got something else for token \"a\""));
}

}  // namespace
}  // namespace danlu::data
