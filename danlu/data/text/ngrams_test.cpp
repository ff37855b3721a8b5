#include "danlu/data/text/ngrams.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "danlu/base/error.h"

namespace danlu::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

NgramCounter counted(const NgramOptions& options, const std::vector<std::string>& texts) {
  NgramCounter counter(options);
  for (const std::string& text : texts) counter.add(text);
  return counter;
}

const std::vector<std::string> kTexts = {"The red, red rose!", "a RED stone", "The stone"};

TEST(Ngrams, OfWordsAreThoseThatEnoughTextsHave) {
  const NgramCounter counter = counted({.words = {1, 2}, .min_documents = 2}, kTexts);
  const NgramVocabulary vocabulary = counter.vocabulary();
  const Json json = vocabulary.to_json();
  EXPECT_EQ(json["word_ngrams"], Json({"red", "stone", "the"})) << "\"red red\" is in one text";
  EXPECT_EQ(json["character_ngrams"], Json::array());
  EXPECT_THAT(vocabulary.encode("Red? the red green stone", 100), ElementsAre(1, 3, 1, 2));
  const float each = std::log(4.0f / 3) + 1;  // of three texts two have it
  EXPECT_THAT(counter.idf(vocabulary), ElementsAre(0, testing::FloatEq(each), testing::FloatEq(each), testing::FloatEq(each)));
  const NgramVocabulary all = counted({.words = {2, 2}, .min_documents = 1}, kTexts).vocabulary();
  EXPECT_EQ(all.to_json()["word_ngrams"], Json({"a red", "red red", "red rose", "red stone", "the red", "the stone"}));
}

TEST(Ngrams, OfCharactersKnowTheEndsOfWords) {
  const NgramVocabulary vocabulary = counted({.words = {}, .characters = {2, 3}, .min_documents = 1}, {"ab", "b"}).vocabulary();
  EXPECT_EQ(vocabulary.to_json()["character_ngrams"], Json({" a", " ab", " b", " b ", "ab", "ab ", "b "}));
  EXPECT_THAT(vocabulary.encode("b", 100), ElementsAre(3, 7, 4)) << "pairs first";
  EXPECT_EQ(counted({.words = {}, .characters = {3, 3}, .min_documents = 1}, {"C++ "}).vocabulary().to_json()["character_ngrams"], Json({" c+", "++ ", "c++"})) << "signs count";
  const NgramVocabulary both = counted({.words = {1, 1}, .characters = {3, 3}, .min_documents = 1}, {"abc"}).vocabulary();
  EXPECT_THAT(both.encode("abc", 100), ElementsAre(1, 2, 3, 4)) << "the word abc, then \" ab\", \"abc\" and \"bc \": not the same as the word";
}

TEST(Ngrams, WordsOfAllScripts) {
  const auto words = [](const std::string& text) { return counted({.words = {1, 1}, .min_documents = 1}, {text}).vocabulary().to_json()["word_ngrams"]; };
  EXPECT_EQ(words("\xC3\x89t\xC3\xA9 \xC3\xA9t\x65\xCC\x81"), Json({"\xC3\xA9t\xC3\xA9"})) << "large, small, composed or not";
  EXPECT_EQ(words("\xE7\xBA\xA2\xE7\x9F\xB3 ok"), Json({"ok", "\xE7\x9F\xB3", "\xE7\xBA\xA2"})) << "ideographs stand alone";
  EXPECT_EQ(words("a\xFF\xFE" "b2_c"), Json({"a", "b2", "c"})) << "what is no text divides";
  EXPECT_EQ(words("\u3010红\u3011，石。\u3000「花」・！"), Json({"石", "红", "花"})) << "punctuation is no word";
  EXPECT_EQ(words("人々カー"), Json({"々", "カ", "ー", "人"}));
}

TEST(Ngrams, ALongTextIsCutOff) {
  const NgramVocabulary vocabulary = counted({.min_documents = 1}, kTexts).vocabulary();
  std::string text;
  for (int i = 0; i < 100000; ++i) text += "red ";
  EXPECT_EQ(vocabulary.encode(text, 7).size(), 7u);
  EXPECT_TRUE(vocabulary.encode(text, 0).empty());
  EXPECT_TRUE(vocabulary.encode("", 7).empty());
  EXPECT_TRUE(vocabulary.encode("unknown words", 7).empty());
  EXPECT_EQ(vocabulary.bytes_read(text, 7), std::string("red red red red").size()) << "a red, and two n-grams of every other";
  EXPECT_EQ(vocabulary.bytes_read("new: red, rose", 100), 14u);
  EXPECT_EQ(vocabulary.bytes_read("new: red, rose", 1), 8u);
  EXPECT_EQ(vocabulary.bytes_read("red", 0), 0u);
  const NgramVocabulary characters = counted({.words = {}, .characters = {2, 2}, .min_documents = 1}, {"ab"}).vocabulary();
  EXPECT_EQ(characters.bytes_read("ab-b ab", 3), 4u) << "what stands between spaces is read at once";
}

TEST(Ngrams, OfTooManyThoseOfMostTextsStay) {
  const NgramVocabulary vocabulary = counted({.words = {1, 1}, .min_documents = 1, .max_size = 3}, kTexts).vocabulary();
  EXPECT_EQ(vocabulary.to_json()["word_ngrams"], Json({"red", "stone", "the"}));
}

TEST(Ngrams, ComeBackFromJson) {
  const NgramVocabulary vocabulary = counted({.characters = {2, 4}, .min_documents = 1}, kTexts).vocabulary();
  const Json json = vocabulary.to_json();
  const NgramVocabulary again = NgramVocabulary::from_json(SavedState(json, "ngrams"));
  EXPECT_EQ(again.to_json(), json);
  EXPECT_EQ(again.encode("the red stones", 100), vocabulary.encode("the red stones", 100));
  for (const auto& [key, value] : std::vector<std::pair<const char*, Json>>{
           {"words", {1}}, {"words", {2, 1}}, {"words", {0, 1}}, {"words", {1, 99}}, {"words", {1, 1e300}}, {"word_ngrams", {"a", "a"}}, {"word_ngrams", {1}}, {"character_ngrams", "x"}}) {
    Json bad = json;
    bad[key] = value;
    EXPECT_THROW(NgramVocabulary::from_json(SavedState(bad, "ngrams")), DataError) << key << " " << value;
  }
}

TEST(Ngrams, WhatCannotBeIsRefused) {
  EXPECT_THROW(NgramCounter({.words = {2, 1}}), ConfigError);
  EXPECT_THROW(NgramCounter({.words = {1}}), ConfigError);
  EXPECT_THROW(NgramCounter({.words = {}, .characters = {}}), ConfigError);
  try {
    counted({}, {"", "one", "two"}).vocabulary();
    FAIL() << "no n-gram is in two texts";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("got no n-gram that is in 2 of 3 training texts"));
  }
}

TEST(WordParts, AreAllOfTheText) {
  EXPECT_THAT(word_parts("\"The red, red rose!\""), ElementsAre("\"The", " red", ", red", " rose!\""));
  EXPECT_THAT(word_parts(" ?! "), ElementsAre(" ?! "));
  EXPECT_TRUE(word_parts("").empty());
}

}  // namespace
}  // namespace danlu::data
