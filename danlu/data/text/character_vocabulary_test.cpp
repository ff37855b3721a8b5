#include "danlu/data/text/character_vocabulary.h"

#include <gtest/gtest.h>

#include "danlu/data/image/testing.h"

namespace danlu::data {
namespace {

using Words = std::vector<std::string>;

TEST(CharacterVocabulary, HoldsTheCharactersByCodePoint) {
  CharacterVocabulary characters;
  characters.add("春眠 ba\n");
  characters.add("é👩ab\U0010FFFF\u07FF\u0800\U00010000");
  EXPECT_EQ(characters.characters(), 14);
  const TokenizerModel model = characters.model();
  EXPECT_EQ(model.vocab, (Words{"\n", " ", "a", "b", "é", "\u07FF", "\u0800", "春", "眠", "\U00010000", "👩", "\U0010FFFF"}));
  EXPECT_FALSE(model.byte_level);
  EXPECT_TRUE(model.merges.empty());
  EXPECT_TRUE(model.pre_tokenizer.empty());
  ASSERT_EQ(model.added.size(), 1u);
  EXPECT_EQ(model.added[0].content, "<unk>");
  EXPECT_EQ(model.added[0].id, 12);
  EXPECT_EQ(model.unk, 12);
  EXPECT_FALSE(model.eos.has_value());
}

TEST(CharacterVocabulary, LeavesOutRareCharacters) {
  CharacterVocabulary characters;
  characters.add("aabbc");
  const TokenizerModel model = characters.model({.min_frequency = 2, .special_tokens = {"<|endoftext|>", "<|user|>"}});
  EXPECT_EQ(model.vocab, (Words{"a", "b"}));
  EXPECT_EQ(model.unk, 2);
  EXPECT_EQ(model.eos, 3);
  EXPECT_EQ(model.added.back().id, 4);
  EXPECT_TRUE(contains(error_of([&] { characters.model({.min_frequency = 3}); }), "got no character that occurs 3 times"));
}

TEST(CharacterVocabulary, MakesATokenizer) {
  CharacterVocabulary characters;
  characters.add("春眠 ab");
  const Tokenizer tokenizer(characters.model());
  EXPECT_EQ(tokenizer.vocab_size(), 6);
  EXPECT_EQ(tokenizer.encode("ba春x"), (std::vector<TokenId>{2, 1, 3, 5}));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("眠 春")), "眠 春");
}

TEST(CharacterVocabulary, RefusesWhatIsNoText) {
  CharacterVocabulary characters;
  EXPECT_TRUE(contains(error_of([&] { characters.add("ab\xE6\x98"); }), "got byte 0xE6 at offset 2"));
  EXPECT_EQ(characters.characters(), 0);
  characters.add("a");
  EXPECT_TRUE(contains(error_of([&] { characters.model({.special_tokens = {"<unk>"}}); }), "got special token \"<unk>\""));
  EXPECT_TRUE(contains(error_of([&] { characters.model({.special_tokens = {"a"}}); }), "no single characters"));
  EXPECT_TRUE(contains(error_of([&] { characters.model({.min_frequency = 0}); }), "got min_frequency 0"));
}

}  // namespace
}  // namespace danlu::data
