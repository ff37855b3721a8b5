#include "danlu/data/text/bpe_trainer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "danlu/base/rng.h"
#include "danlu/base/threads.h"
#include "danlu/data/image/testing.h"

namespace danlu::data {
namespace {

// Words of few letters, some lines of Chinese.
std::vector<std::string> some_texts() {
  Rng rng(2);
  std::vector<std::string> texts(200);
  for (std::string& text : texts) {
    for (int64_t words = 1 + rng.below(50); words > 0; --words) {
      for (int64_t length = 1 + rng.below(5); length > 0; --length) text.push_back(static_cast<char>('a' + rng.below(6)));
      text += rng.below(9) == 0 ? "。\n春眠不觉晓，处处闻啼鸟\n" : " ";
    }
  }
  return texts;
}

TokenizerModel trained(const std::vector<std::string>& texts, const BpeTrainerOptions& options) {
  BpeTrainer trainer(options);
  for (const std::string& text : texts) trainer.add(text);
  return trainer.train();
}

TEST(BpeTrainer, NumbersTokensAsHuggingFaceDoes) {
  BpeTrainer trainer({.vocab_size = 262, .special_tokens = {"<|endoftext|>", "<|user|>"}});
  trainer.add("low lower lowest low");
  const TokenizerModel model = trainer.train();
  EXPECT_EQ(model.vocab[0], "!");
  EXPECT_EQ(model.vocab[64], "a");
  EXPECT_EQ(model.vocab[94], "\xA1");
  EXPECT_EQ(model.vocab[188], std::string(1, '\0'));
  EXPECT_EQ(model.vocab[220], " ");
  // lo and ow are as frequent; l is before o. " l" in " low", " lower", " lowest" occurs three times.
  EXPECT_EQ(std::vector<std::string>(model.vocab.begin() + 256, model.vocab.end()),
            (std::vector<std::string>{"lo", "low", " low", " lowe"}));
  EXPECT_EQ(model.merges[0].left, 75);
  EXPECT_EQ(model.merges[0].right, 78);
  EXPECT_EQ(model.merges[0].result, 256);
  ASSERT_EQ(model.added.size(), 2u);
  EXPECT_EQ(model.added[0].id, 260);
  EXPECT_EQ(model.added[1].content, "<|user|>");
  EXPECT_EQ(model.eos, 260);
  EXPECT_TRUE(model.byte_level);
  EXPECT_FALSE(trainer.report().exhausted);
  EXPECT_EQ(trainer.report().merges, 4);
  EXPECT_EQ(trainer.report().pieces, 4);
  EXPECT_EQ(trainer.report().bytes, 20);
}

TEST(BpeTrainer, DependsOnTheTextsAlone) {
  std::vector<std::string> texts = some_texts();
  const BpeTrainerOptions options{.vocab_size = 700};
  const TokenizerModel expected = trained(texts, options);
  EXPECT_EQ(expected.vocab.size(), 699u);
  std::reverse(texts.begin(), texts.end());
  EXPECT_EQ(trained(texts, options).vocab, expected.vocab);
  const int threads = num_threads();
  for (const int n : {1, 5}) {
    set_num_threads(n);
    EXPECT_EQ(trained(texts, options).vocab, expected.vocab);
  }
  set_num_threads(threads);
}

TEST(BpeTrainer, MergesStayWithinPieces) {
  for (const std::string& token : trained(some_texts(), {.vocab_size = 1000}).vocab) {
    EXPECT_EQ(token.find(' ', 1), std::string::npos) << token;
    EXPECT_TRUE(token.find("\n") == std::string::npos || token == "\n") << token;
  }
  // Without a pattern they do not.
  const TokenizerModel whole = trained({"a b a b a b"}, {.vocab_size = 300, .pattern = ""});
  EXPECT_TRUE(whole.pre_tokenizer.empty());
  EXPECT_NE(std::find(whole.vocab.begin(), whole.vocab.end(), "a b"), whole.vocab.end());
}

TEST(BpeTrainer, MakesATokenizerThatLosesNothing) {
  const Tokenizer tokenizer(trained(some_texts(), {.vocab_size = 600}));
  EXPECT_EQ(tokenizer.vocab_size(), 600);
  EXPECT_EQ(tokenizer.special_id("<|endoftext|>"), 599);
  EXPECT_LE(tokenizer.encode("春眠不觉晓，处处闻啼鸟").size(), 3u);
  Rng rng(9);
  std::string bytes;
  for (int i = 0; i < 3000; ++i) bytes.push_back(static_cast<char>(rng.below(256)));
  for (const std::string& text : {bytes, std::string("<|endoftext|> 春眠 👩‍🚀\r\n\t e\xCC\x81")}) {
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
  }
}

TEST(BpeTrainer, NormalizesBeforeItCounts) {
  const TokenizerModel model = trained({"e\xCC\x81 e\xCC\x81 e\xCC\x81"}, {.vocab_size = 300, .normalizer = "nfc"});
  EXPECT_EQ(model.vocab[256], "é");
  EXPECT_EQ(model.normalizer, Normalizer::nfc);
}

TEST(BpeTrainer, EndsWithTheText) {
  BpeTrainer trainer({.vocab_size = 1000});
  trainer.add("abc abc");
  const TokenizerModel model = trainer.train();
  EXPECT_EQ(std::vector<std::string>(model.vocab.begin() + 256, model.vocab.end()),
            (std::vector<std::string>{"ab", "abc"}));
  EXPECT_EQ(model.eos, 258);
  EXPECT_TRUE(trainer.report().exhausted);
  EXPECT_EQ(trainer.report().to_json().at("merges"), 2);
}

TEST(BpeTrainer, RefusesWhatMakesNoSense) {
  EXPECT_TRUE(contains(error_of([] { BpeTrainer({.vocab_size = 256}); }),
                       "got vocab_size 256; expected at least 257: 256 bytes and 1 special tokens"));
  EXPECT_TRUE(contains(error_of([] { BpeTrainer({.min_frequency = 0}); }), "got min_frequency 0"));
  EXPECT_TRUE(contains(error_of([] { BpeTrainer({.special_tokens = {"<a>", "<a>"}}); }), "got special token \"<a>\""));
  EXPECT_TRUE(contains(error_of([] { BpeTrainer({.special_tokens = {""}}); }), "got special token \"\""));
  EXPECT_TRUE(contains(error_of([] { BpeTrainer({.pattern = "gpt3"}); }), "did you mean \"gpt2\""));
  EXPECT_TRUE(contains(error_of([] { BpeTrainer({.normalizer = "nfd"}); }), "got normalizer \"nfd\""));
  EXPECT_TRUE(contains(error_of([] { BpeTrainer({}).train(); }), "got no text"));
}

}  // namespace
}  // namespace danlu::data
