#include "danlu/data/text/tokenizer.h"

#include <gtest/gtest.h>

#include "danlu/base/rng.h"
#include "danlu/base/temporary_directory.h"
#include "danlu/data/text/bpe_trainer.h"
#include "danlu/data/text/tokenizer_model.h"

namespace danlu::data {
namespace {

Tokenizer trained(const std::string& pattern) {
  BpeTrainerOptions options;
  options.vocab_size = 320;
  options.pattern = pattern;
  BpeTrainer trainer(options);
  for (int i = 0; i < 20; ++i) trainer.add("the cat sat on the mat, 春天的风 and the rain don't stop 123 times\n");
  return Tokenizer(trainer.train());
}

TEST(Tokenizer, IsLosslessForAnyBytes) {
  const Tokenizer tokenizer = trained("gpt2");
  Rng rng(3);
  for (int i = 0; i < 2000; ++i) {
    std::string text;
    for (int64_t n = rng.below(40); n > 0; --n) text += static_cast<char>(rng.below(256));
    ASSERT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
  }
}

TEST(Tokenizer, SpecialTokensInTextStayText) {
  const Tokenizer tokenizer = trained("qwen");
  const TokenId eos = tokenizer.special_id("<|endoftext|>").value();
  for (const TokenId id : tokenizer.encode("a <|endoftext|> b")) EXPECT_NE(id, eos);
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("<|endoftext|>")), "<|endoftext|>");
  EXPECT_EQ(tokenizer.decode(std::vector<TokenId>{eos}), "");
  EXPECT_EQ(tokenizer.decode(std::vector<TokenId>{eos}, Tokenizer::Special::keep), "<|endoftext|>");
}

TEST(Tokenizer, SavedAndLoadedIsTheSame) {
  for (const char* pattern : {"gpt2", "cl100k", "qwen"}) {
    const Tokenizer tokenizer = trained(pattern);
    const TemporaryDirectory directory;
    tokenizer.save(directory.path());
    const Tokenizer loaded = Tokenizer::load(directory.path());
    EXPECT_EQ(loaded.vocab_size(), tokenizer.vocab_size());
    EXPECT_EQ(loaded.eos(), tokenizer.eos());
    const std::string text = "The cat's mat: 1234 春天!\n\n  don't\t<|endoftext|>";
    EXPECT_EQ(loaded.encode(text), tokenizer.encode(text)) << pattern;
  }
}

}  // namespace
}  // namespace danlu::data
