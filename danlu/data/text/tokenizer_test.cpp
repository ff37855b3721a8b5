#include "danlu/data/text/tokenizer.h"

#include <gtest/gtest.h>

#include <thread>

#include "danlu/base/rng.h"
#include "danlu/data/image/testing.h"
#include "danlu/data/text/bpe_trainer.h"
#include "danlu/data/text/character_vocabulary.h"
#include "danlu/data/text/tokenizer_model.h"

namespace danlu::data {
namespace {

Tokenizer trained(const std::string& pattern) {
  BpeTrainer trainer({.vocab_size = 320, .pattern = pattern});
  for (int i = 0; i < 20; ++i) trainer.add("the cat sat on the mat, 春天的风 and the rain don't stop 123 times\n");
  return Tokenizer(trainer.train());
}

Tokenizer of_characters(const std::string& text) {
  CharacterVocabulary characters;
  characters.add(text);
  return Tokenizer(characters.model({.special_tokens = {"<|end|>"}}));
}

// Bytes of all kinds, and among them words and characters that there are tokens for.
std::string random_bytes(Rng& rng) {
  static const std::vector<std::string> parts = {" the cat", "春天", "don't", "\n\n", "😀", "\xE6\x98", "123"};
  std::string text;
  for (int64_t n = rng.below(20); n > 0; --n) {
    if (rng.below(4) == 0) {
      text += parts[static_cast<size_t>(rng.below(std::ssize(parts)))];
    } else {
      text += static_cast<char>(rng.below(256));
    }
  }
  return text;
}

TEST(Tokenizer, IsLosslessForAnyBytes) {
  for (const char* pattern : {"gpt2", "cl100k", "qwen", ""}) {
    const Tokenizer tokenizer = trained(pattern);
    Rng rng(3);
    for (int i = 0; i < 25000; ++i) {
      const std::string text = random_bytes(rng);
      ASSERT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
    }
  }
}

TEST(Tokenizer, EncodesByMergesWithinPieces) {
  const Tokenizer tokenizer = trained("gpt2");
  std::vector<std::string> tokens;
  for (const TokenId id : tokenizer.encode("the cat sat, 春天!")) tokens.emplace_back(tokenizer.token_bytes(id));
  EXPECT_EQ(tokens.front(), "the");
  EXPECT_EQ(tokens.at(1), " cat");
  EXPECT_EQ(tokens.back(), "!");
  EXPECT_LT(tokens.size(), 10);
}

TEST(Tokenizer, AppendsToWhatIsThere) {
  const Tokenizer tokenizer = trained("gpt2");
  std::vector<TokenId> ids = {7};
  tokenizer.encode("the cat", ids);
  EXPECT_EQ(ids.front(), 7);
  EXPECT_EQ(tokenizer.decode(std::span(ids).subspan(1)), "the cat");
  EXPECT_TRUE(tokenizer.encode("").empty());
}

TEST(Tokenizer, SpecialTokensInTextStayText) {
  const Tokenizer tokenizer = trained("qwen");
  const TokenId eos = tokenizer.special_id("<|endoftext|>").value();
  for (const TokenId id : tokenizer.encode("a <|endoftext|> b")) EXPECT_NE(id, eos);
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("<|endoftext|>")), "<|endoftext|>");
  EXPECT_EQ(tokenizer.decode(std::vector<TokenId>{eos}), "");
  EXPECT_EQ(tokenizer.decode(std::vector<TokenId>{eos}, Tokenizer::Special::keep), "<|endoftext|>");
  EXPECT_EQ(tokenizer.special_id("<|nothing|>"), std::nullopt);
  EXPECT_TRUE(tokenizer.is_special(eos));
  EXPECT_FALSE(tokenizer.is_special(0));
}

TEST(Tokenizer, IdsOutsideTheVocabularyStandForNothing) {
  const Tokenizer tokenizer = trained("gpt2");
  EXPECT_EQ(tokenizer.decode(std::vector<TokenId>{-1, 0, 1 << 30}), "!");
  EXPECT_EQ(tokenizer.token_bytes(-5), "");
}

TEST(Tokenizer, CharactersAreTokens) {
  const Tokenizer tokenizer = of_characters("春眠 ab\n");
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("ab春 眠\n")), "ab春 眠\n");
  EXPECT_EQ(tokenizer.encode("ab春 眠\n").size(), 6);
  EXPECT_EQ(tokenizer.encode("晓\xFF"), (std::vector<TokenId>(2, tokenizer.unk().value())));
}

TEST(Tokenizer, SpaceBeforeTheFirstWord) {
  TokenizerModel model = trained("gpt2").model();
  model.add_prefix_space = true;
  const Tokenizer tokenizer(std::move(model));
  EXPECT_EQ(tokenizer.encode("cat"), tokenizer.encode(" cat"));
  EXPECT_TRUE(tokenizer.encode("").empty());
}

TEST(Tokenizer, NormalFormComesFirst) {
  TokenizerModel model = trained("gpt2").model();
  model.normalizer = Normalizer::nfkc;
  const Tokenizer tokenizer(std::move(model));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("e\u0301 ﬁ\xFF")), "é fi\xFF");
}

TEST(Tokenizer, SavedAndLoadedIsTheSame) {
  const std::string text = "The cat's mat: 1234 春天!\n\n  don't\t<|endoftext|>";
  std::vector<Tokenizer> tokenizers;
  for (const char* pattern : {"gpt2", "cl100k", "qwen", ""}) tokenizers.push_back(trained(pattern));
  tokenizers.push_back(of_characters(text));
  for (const Tokenizer& tokenizer : tokenizers) {
    const TemporaryDirectory directory;
    tokenizer.save(directory.path());
    const Tokenizer loaded = Tokenizer::load(directory.path());
    EXPECT_EQ(loaded.vocab_size(), tokenizer.vocab_size());
    EXPECT_EQ(loaded.eos(), tokenizer.eos());
    EXPECT_EQ(loaded.unk(), tokenizer.unk());
    EXPECT_EQ(loaded.special_tokens(), tokenizer.special_tokens());
    EXPECT_EQ(loaded.encode(text + "☂"), tokenizer.encode(text + "☂"));
    EXPECT_EQ(Tokenizer::load(directory / "tokenizer.json").encode(text), tokenizer.encode(text));
  }
}

TEST(Tokenizer, LoadsWhatIsThere) {
  const TemporaryDirectory directory;
  EXPECT_TRUE(contains(error_of([&] { Tokenizer::load(directory.path()); }), "tokenizer.json"));
  write_file_atomic(directory / "encoder.json", R"({"a": 0, "b": 1, "ab": 2})");
  write_file_atomic(directory / "vocab.bpe", "a b\n");
  EXPECT_EQ(Tokenizer::load(directory.path()).encode("ab"), std::vector<TokenId>{2});
  write_file_atomic(directory / "gpt2.tiktoken", "Yg== 0\nYQ== 1\n");
  EXPECT_EQ(Tokenizer::load(directory / "gpt2.tiktoken").encode("ab"), (std::vector<TokenId>{1, 0}));
  write_file_atomic(directory / "tokenizer_config.json", R"({"eos_token": "</s>"})");
  EXPECT_TRUE(contains(error_of([&] { Tokenizer::load(directory.path()); }), "tokenizer_config.json: eos_token: got"));
}

TEST(Tokenizer, ErrorsOfPatternsNameTheFile) {
  const TemporaryDirectory directory;
  write_file_atomic(directory / "tokenizer.json", R"({"decoder": {"type": "Fuse"}, "pre_tokenizer": {"type": "Split",
      "pattern": {"Regex": "a("}, "behavior": "Isolated"}, "model": {"vocab": {"a": 0}, "merges": []}})");
  const std::string error = error_of([&] { Tokenizer::load(directory.path()); });
  EXPECT_TRUE(contains(error, directory.path().string()));
  EXPECT_TRUE(contains(error, "got pattern \"a(\", wrong at offset 2"));
}

TEST(Tokenizer, RefusesPartsThatDoNotFit) {
  const auto error_with = [](const auto& change) {
    TokenizerModel model;
    model.vocab = {"a", "b"};
    change(model);
    return error_of([&] { Tokenizer tokenizer(std::move(model)); });
  };
  using Model = TokenizerModel;
  EXPECT_TRUE(contains(error_with([](Model& m) { m.added = {{-1, "x"}}; }), "got added token \"x\" with id -1"));
  EXPECT_TRUE(contains(error_with([](Model& m) { m.added = {{INT32_MAX, "x"}}; }), "with id 2147483647"));
  EXPECT_TRUE(contains(error_with([](Model& m) { m.added = {{2, ""}}; }), "got added token \"\""));
  EXPECT_TRUE(contains(error_with([](Model& m) { m.added = {{0, "x"}}; }), "which is that of token \"a\""));
  EXPECT_TRUE(contains(error_with([](Model& m) { m.added = {{2, "x"}, {3, "x"}}; }), "got added token \"x\" twice"));
  EXPECT_TRUE(
      contains(error_with([](Model& m) { m.eos = 2; }), "got eos 2; expected an id of the vocabulary, below 2"));
}

TEST(Tokenizer, ServesManyThreadsAtOnce) {
  const Tokenizer tokenizer = trained("cl100k");
  const std::string text = "the cat sat on the mat 春天的风 ";
  const std::vector<TokenId> expected = tokenizer.encode(text);
  std::vector<int> wrong(8);
  std::vector<std::thread> threads;
  for (int& count : wrong) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) count += tokenizer.encode(text) != expected;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(8));
}

}  // namespace
}  // namespace danlu::data
